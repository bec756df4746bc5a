-- Bind a slot to a launch that runs since before its trigger needed one. KEYS: slots.
-- ARGV: run id, slot, holder, holder the caller knows to have ended, or '' where it saw none.
-- Returns 1, or 0 if it is bound to another, or a person has released it.
-- Rules out: a slot taken from a firing that began meanwhile.
local known = redis.call('HGET', KEYS[1], ARGV[2])
if known and (known == '' or known ~= ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
