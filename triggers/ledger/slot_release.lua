-- Free a slot because a person says so. KEYS: slots. ARGV: run id, slot, holder the person saw. Returns 1, or 0.
-- Rules out: the slot taken by another firing meanwhile, and freed under it.
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[2])
