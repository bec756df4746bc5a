-- Make held firings due again, in the order of their grant. KEYS: held, holds.
-- ARGV: run id, hold, how many, prefix of firing keys, prefix of due lists. Returns how many.
-- Rules out: a firing that is on neither list.
if tonumber(ARGV[3]) < 1 then return 0 end
local keys = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)
local now = now_ms()
for _, key in ipairs(keys) do
  redis.call('ZREM', KEYS[1], key)
  local lane = lane_of(ARGV[4] .. key)
  if lane then
    redis.call('HSET', ARGV[4] .. key, 'state', 'waiting')
    redis.call('HDEL', ARGV[4] .. key, 'reason')
    redis.call('ZADD', ARGV[5] .. lane, now, key)
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return #keys
