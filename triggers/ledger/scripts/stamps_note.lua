-- Remember a comparison of clocks: how far the one that stamps changes is ahead of the HTTP Date of the server's answers.
-- KEYS: epoch. ARGV: run id, ms (negative: behind). Returns 1.
-- Where that has changed, it did so since the last comparison: how long ago that was is remembered with it.
-- Rules out: a cursor that follows a proxy's clock past changes that are stamped by another.
local now, before = now_ms(), redis.call('HMGET', KEYS[1], 'stamps_ms', 'stamps_compared_ms')
if (before[1] or '0') ~= ARGV[2] then
  local since = math.max(0, now - (tonumber(before[2] or '') or now))
  redis.call('HSET', KEYS[1], 'stamps_noted_ms', now, 'stamps_noticed_ms', string.format('%d', since))
end
redis.call('HSET', KEYS[1], 'stamps_ms', ARGV[2], 'stamps_compared_ms', now)
return 1
