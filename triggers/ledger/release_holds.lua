-- Make held firings due again, oldest first. KEYS: held, due, holds. ARGV: run id, hold, how many, prefix of firing keys.
-- Returns how many. Rules out: a firing that is on neither list.
if tonumber(ARGV[3]) < 1 then return 0 end
local keys = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)
local now = now_ms()
for _, key in ipairs(keys) do
  redis.call('ZREM', KEYS[1], key)
  if redis.call('EXISTS', ARGV[4] .. key) == 1 then
    redis.call('HSET', ARGV[4] .. key, 'state', 'waiting')
    redis.call('ZADD', KEYS[2], now, key)
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[3], ARGV[2]) end
return #keys
