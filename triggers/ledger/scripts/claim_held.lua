-- Lease firings of a hold: those whose turn at a receiver it is, one of each trigger in turn, and of each in the order of their grant.
-- KEYS: held, holds, due, fence, registry version, lines, served. ARGV: run id, hold, limit, lease ms, nonce, prefix of firing
--   keys, version of firings that the caller reads, how many later ones are passed over at most.
-- Returns what `claim.lua` returns. One of a later release stays where it is.
-- Rules out: a firing that is on neither list; two owners of one firing.
local now, limit = now_ms(), tonumber(ARGV[3])
local answer = {redis.call('GET', KEYS[5]) or '0', 1}
if line_up(KEYS[1], KEYS[6], LINED - 1, ARGV[6]) then return answer end
local again = take_turns(KEYS[1], KEYS[6], KEYS[7], limit, tonumber(ARGV[8]), function(key)
  local firing = ARGV[6] .. key
  if redis.call('TYPE', firing).ok ~= 'hash' then
    redis.call('ZREM', KEYS[1], key)
    return 'gone'
  end
  if (tonumber(redis.call('HGET', firing, 'v') or '1') or 0) > tonumber(ARGV[7]) then return 'left' end
  local token, attempts = new_token(KEYS[4], ARGV[5]), redis.call('HGET', firing, 'attempts')
  redis.call('HSET', firing, 'state', 'waiting', 'lease', token,
    'attempts', (attempts and attempts ~= '') and (attempts .. ' ' .. token) or token)
  redis.call('HDEL', firing, 'reason')
  redis.call('ZREM', KEYS[1], key)
  redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), key)
  local fields = redis.call('HGETALL', firing)
  table.insert(fields, 1, key)
  answer[#answer + 1] = fields
  return 'taken'
end)
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[2])
  redis.call('DEL', KEYS[6], KEYS[7])
end
answer[2] = again and 1 or 0
return answer
