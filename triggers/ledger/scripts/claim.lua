-- Lease firings that are due, one of each trigger in turn, and add one attempt to each. Those of a trigger: the one due longest first.
-- KEYS: due, fence, registry version, lines, served. ARGV: run id, limit, lease ms, nonce, prefix of firing keys, version of
--   firings that the caller reads, how many later ones are passed over at most, then key, token, key, token, ... of what still
--   runs in the calling process: its leases are extended first, also those that ran out and that nobody else has taken.
-- Returns {registry version, 1 to ask again at once where nothing was found, {firing key, field, value, ...}, ...}. The end of
-- the lease is the time in `due`: nothing is ever taken off the list until it is finished, so a dead owner's firings come up by
-- themselves. A firing of a later release is passed over untouched: it waits for a worker of that release.
-- Rules out: two owners of one firing; an owner that nobody notices dying; a process that calls a function again
-- which it is still calling, after a long call in C kept its other threads from extending the lease.
local now, limit = now_ms(), tonumber(ARGV[2])
for i = 8, #ARGV, 2 do
  if owns(ARGV[5] .. ARGV[i], ARGV[i + 1]) then redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[3]), ARGV[i]) end
end
local answer = {redis.call('GET', KEYS[3]) or '0', 1}
if line_up(KEYS[1], KEYS[4], now, ARGV[5]) then return answer end -- before all stand in lines, a turn would be one of some
local again = take_turns(KEYS[1], KEYS[4], KEYS[5], limit, tonumber(ARGV[7]), function(key)
  local firing = ARGV[5] .. key
  if redis.call('TYPE', firing).ok ~= 'hash' then
    redis.call('ZREM', KEYS[1], key)
    return 'gone'
  end
  if (tonumber(redis.call('HGET', firing, 'v') or '1') or 0) > tonumber(ARGV[6]) then return 'left' end
  local token = new_token(KEYS[2], ARGV[4])
  local attempts = redis.call('HGET', firing, 'attempts')
  redis.call('HSET', firing, 'lease', token, 'attempts', attempts and (attempts .. ' ' .. token) or token)
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), key)
  local fields = redis.call('HGETALL', firing)
  table.insert(fields, 1, key)
  answer[#answer + 1] = fields
  return 'taken'
end)
answer[2] = again and 1 or 0
return answer
