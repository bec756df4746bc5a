-- Lease firings of a hold, in the order of their grant: those whose turn at a receiver it is.
-- KEYS: held, holds, due, fence, registry version. ARGV: run id, hold, limit, lease ms, nonce, prefix of firing keys, version of
--   firings that the caller reads.
-- Returns what `claim.lua` returns. One of a later release stays where it is.
-- Rules out: a firing that is on neither list; two owners of one firing.
local now, answer = now_ms(), {redis.call('GET', KEYS[5]) or '0'}
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)) do
  local firing = ARGV[6] .. key
  if redis.call('TYPE', firing).ok ~= 'hash' then
    redis.call('ZREM', KEYS[1], key)
  elseif (tonumber(redis.call('HGET', firing, 'v') or '1') or 0) <= tonumber(ARGV[7]) then
    local token, attempts = new_token(KEYS[4], ARGV[5]), redis.call('HGET', firing, 'attempts')
    redis.call('HSET', firing, 'state', 'waiting', 'lease', token,
      'attempts', (attempts and attempts ~= '') and (attempts .. ' ' .. token) or token)
    redis.call('HDEL', firing, 'reason')
    redis.call('ZREM', KEYS[1], key)
    redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), key)
    local fields = redis.call('HGETALL', firing)
    table.insert(fields, 1, key)
    answer[#answer + 1] = fields
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return answer
