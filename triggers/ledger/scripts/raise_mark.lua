-- Count occurrences of an object on from one that was found launched. KEYS: firing, marks. ARGV: run id, token, object, occurrence.
-- Rules out: occurrences that Redis forgot being granted, found launched and thereby missed, one after the other.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
local count, rest = string.match(redis.call('HGET', KEYS[2], ARGV[3]) or '', '^(%d+)(:.*)$')
if not count or tonumber(count) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4] .. rest)
return 1
