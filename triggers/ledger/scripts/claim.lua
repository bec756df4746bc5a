-- Lease firings that are due, one of each trigger in turn, and add one attempt to each. Those of a trigger: the one due longest first.
-- KEYS: due, fence, registry version, lines, served. ARGV: run id, limit, lease ms, nonce, prefix of firing keys, version of
--   firings that the caller reads, how many later ones are passed over at most, JSON of plain triggers or '', then key, token,
--   key, token, ... of what still runs in the calling process: its leases are extended first, also those that ran out and that
--   nobody else has taken.
-- Plain are those that ask for nothing but their pace before they launch, as the caller knows them: {version = of the registry,
--   limits = {trigger = launches a minute, 0 for any number, ...}}. While the registry is that one, the first attempt at a firing
--   of theirs begins with its claim, if it has no parts to be granted: its answer has the field `begun`, which is stored nowhere.
-- Returns {registry version, 1 to ask again at once where nothing was found, {firing key, field, value, ...}, ...}. The end of
-- the lease is the time in `due`: nothing is ever taken off the list until it is finished, so a dead owner's firings come up by
-- themselves. A firing of a later release is passed over untouched: it waits for a worker of that release.
-- Rules out: two owners of one firing; an owner that nobody notices dying; a process that calls a function again
-- which it is still calling, after a long call in C kept its other threads from extending the lease.
local now, limit = now_ms(), tonumber(ARGV[2])
for i = 9, #ARGV, 2 do
  if owns(ARGV[5] .. ARGV[i], ARGV[i + 1]) then redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[3]), ARGV[i]) end
end
local answer = {redis.call('GET', KEYS[3]) or '0', 1}
if line_up(KEYS[1], KEYS[4], now, ARGV[5]) then return answer end -- before all stand in lines, a turn would be one of some
local known = ARGV[8] ~= '' and cjson.decode(ARGV[8])
if known and known.version ~= answer[1] then known = false end
local function begins(firing, key)
  local f = redis.call('HMGET', firing, 'trigger', 'parts')
  local its = known.limits[f[1] or '']
  return its and not f[2] and not is_part(key) and within_pace(firing, ledger .. 'pace:' .. f[1], its, now)
end
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
  local begun = not attempts and known and begins(firing, key)
  local fields = redis.call('HGETALL', firing)
  table.insert(fields, 1, key)
  if begun then fields[#fields + 1], fields[#fields + 2] = 'begun', '1' end
  answer[#answer + 1] = fields
  return 'taken'
end)
answer[2] = again and 1 or 0
return answer
