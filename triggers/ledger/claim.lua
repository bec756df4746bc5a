-- Lease the firings that are due, oldest first, and add one attempt to each.
-- KEYS: due, fence, registry version. ARGV: run id, limit, lease ms, nonce, prefix of firing keys.
-- Returns {registry version, {field, value, ...}, ...}. The end of the lease is the time in `due`: nothing is ever taken off
-- the list until it is finished, so a dead owner's firings come up by themselves.
-- Rules out: two owners of one firing; an owner that nobody notices dying.
local now = now_ms()
local answer = {redis.call('GET', KEYS[3]) or '0'}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local firing = ARGV[5] .. key
  if redis.call('EXISTS', firing) == 0 then
    redis.call('ZREM', KEYS[1], key)
  else
    local token = new_token(KEYS[2], ARGV[4])
    local attempts = redis.call('HGET', firing, 'attempts')
    redis.call('HSET', firing, 'lease', token, 'attempts', attempts and (attempts .. ' ' .. token) or token)
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), key)
    answer[#answer + 1] = redis.call('HGETALL', firing)
  end
end
return answer
