-- Bind a free slot to a launch that runs since before its trigger needed one. KEYS: slots. ARGV: run id, slot, holder.
-- Returns 1, or 0 if it is bound.
-- Rules out: a slot taken from a firing that began meanwhile.
return redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
