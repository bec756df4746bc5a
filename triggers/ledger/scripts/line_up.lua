-- Let claimed firings wait for their turn at a receiver, off the due list. KEYS: due, held, holds.
-- ARGV: run id, hold, reason, prefix of firing keys, firing key, token, firing key, token, ...
-- Returns how many. This attempt has called nothing: it is forgotten. No line of history: it is not a decision.
-- Rules out: a firing taken from the attempt that is at it; one that is on neither list.
local moved = 0
for i = 5, #ARGV, 2 do
  local firing = ARGV[4] .. ARGV[i]
  if owns(firing, ARGV[i + 1]) then
    local f = redis.call('HMGET', firing, 'attempts', 'sequence')
    redis.call('HSET', firing, 'state', 'held', 'reason', ARGV[3], 'attempts', (string.gsub(f[1], ' ?%S+$', '')))
    redis.call('HDEL', firing, 'lease')
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZADD', KEYS[2], f[2], ARGV[i])
    redis.call('SADD', KEYS[3], ARGV[2])
    moved = moved + 1
  end
end
return moved
