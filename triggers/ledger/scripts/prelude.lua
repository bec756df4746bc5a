-- In front of every script that writes. ARGV[1] is the epoch that the caller knows: the run id of its Redis, a dot, and the
-- nonce that the data was given when that run was first met; then `@` and how far the caller has seen the counter of tokens go.
-- Rules out: a caller that goes on after Redis restarted without its last second, when fencing counters may repeat and
-- grants may be forgotten; after FLUSHALL or a restored backup, which keep the run; on a copy, which keeps the data. A backup
-- that is put back into the run and epoch in which it was made has a counter that has gone back.
local seen = tonumber(string.match(ARGV[1], '@(%d+)$') or '') or 0
ARGV[1] = string.match(ARGV[1], '^[^@]*')
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') .. '.' .. (redis.call('HGET', epoch, 'nonce') or '')
if run ~= ARGV[1] then return redis.error_reply('EPOCH Redis is another run, or its data was replaced: ' .. run) end
if (tonumber(redis.call('GET', ledger .. 'fence') or '') or seen) < seen then
  return redis.error_reply('EPOCH the data of Redis was replaced by an older state: ' .. run)
end

local function new_token(fence, nonce)
  return string.format('%d-%s-%s', redis.call('INCR', fence), nonce, string.sub(run, 1, 8))
end

-- A lease that was lost is never an error to retry: the caller's work is void.
local function fenced(what) return redis.error_reply('FENCED ' .. what) end

-- A token ends with the run that gave it: what was held in an older run is not held any more.
local function current(token) return string.sub(token, -8) == string.sub(run, 1, 8) end

local function owns(firing, token) return current(token) and redis.call('HGET', firing, 'lease') == token end

local function leads(lease, token) return current(token) and redis.call('GET', lease) == token end

-- A lease expires by the ledger's clock: Redis' own expiry comes late where the wall clock is set back. Of one that an
-- earlier release took nothing else is known.
local function is_held(lease)
  local token = redis.call('GET', lease)
  if not token then return false end
  local known, till = string.match(redis.call('HGET', ledger .. 'leases', lease) or '', '^(%S+) (%d+)$')
  return known ~= token or tonumber(till) > now_ms()
end

local function hold_lease(lease, token, ms)
  redis.call('SET', lease, token, 'PX', ms)
  redis.call('HSET', ledger .. 'leases', lease, string.format('%s %d', token, now_ms() + tonumber(ms)))
end

-- A firing that cannot be read becomes due where any worker finds it, and becomes a dead letter there.
local function lane_of(firing)
  local lane = redis.call('HGET', firing, 'lane')
  if lane == 'caller' or lane == 'dispatch' or lane == 'act' then return lane end
  if redis.call('EXISTS', firing) == 1 then return 'dispatch' end
end

-- Whether the holder of a slot, as written, holds it: a ClearML task does until somebody has looked at it, a firing that
-- is being launched until it ends, waits on purpose or pauses for long. One that is gone holds nothing.
local function holds(holder, slot, prefix)
  local key, task = string.match(holder, '^(%S*) ?(.*)$')
  if task ~= '' then return true end
  local f = redis.call('HMGET', prefix .. key, 'state', 'slot', 'lease', 'task')
  return (f[1] == 'waiting' or f[1] == 'held') and (f[2] == slot or f[3] or f[4]) and true or false
end

-- The one way in which a firing gives back the slot that it took: whatever ends, holds or moves it calls this. What is
-- recorded may run: the slot stays with it. So does a slot bound to a ClearML task (`slots_rebuild` found it running).
local function give_back(firing, slots)
  local f = redis.call('HMGET', firing, 'slot', 'key', 'task', 'state')
  if not f[1] or (f[3] and (f[4] == 'waiting' or f[4] == 'held')) then return end
  local holder, task = string.match(redis.call('HGET', slots, f[1]) or '', '^(%S*) ?(.*)$')
  if holder == f[2] then
    if f[3] and f[4] ~= 'skipped' then redis.call('HSET', slots, f[1], f[2] .. ' ' .. f[3])
    elseif task == '' then redis.call('HDEL', slots, f[1]) end
  end
  redis.call('HDEL', firing, 'slot')
end

-- A skipped firing gives its key back: the object's next change is considered again.
-- The condition counts as seen false from then on: no change has to be stored for the trigger to see that.
local function release_key(marks, object)
  local mark = redis.call('HGET', marks, object)
  if not mark then return end
  redis.call('HSET', marks, object, (string.gsub(mark, '^(%d+):%d:(%d+):%d+$', '%1:0:%2:0')))
  local prefix, trigger = string.match(marks, '^(.-}:)marks:(.*)$')
  redis.call('SREM', prefix .. 'active:' .. object, trigger)
end

-- What was decided against a launch is kept for another Redis (`decided`).
-- Counted as well: a flood of one trigger pushes out of the bounded history what the others did.
local function remember(history, length, what, firing, reason, task)
  local f = redis.call('HMGET', firing, 'trigger', 'object', 'key', 'changed_ms')
  local tallies, field = history .. ':tallies', what .. ' ' .. (f[1] or '')
  local count = (tonumber(string.match(redis.call('HGET', tallies, field) or '', '^%d+') or '') or 0) + 1
  redis.call('HSET', tallies, field, string.format('%d %d %s %s', count, now_ms(), f[2] or '', task or ''))
  if (what == 'dropped' or what == 'skipped') and f[4] and not string.find(f[3] or '', '-', 1, true) then
    redis.call('ZADD', history .. ':decided', f[4], f[2] .. ' ' .. f[1])
    redis.call('ZREMRANGEBYRANK', history .. ':decided', 0, -10001)
  end
  redis.call('XADD', history, 'MAXLEN', '~', length, '*', 'what', what, 'trigger', f[1] or '', 'object', f[2] or '',
    'firing', f[3] or '', 'reason', reason or '', 'task', task or '')
end

-- Whether a firing of this key is a part of another: one of its actions beyond the first.
local function is_part(key) return string.find(key, '-', 1, true) ~= nil end

-- Grant the parts of a firing whose time has come, each once: `parts` of the firing names those that are still to come.
-- Most firings have none. A part is a firing of its own from then on, with the event of the firing that it is of.
local function grant_parts(firing, key, times, launched)
  local text = redis.call('HGET', firing, 'parts')
  if not text then return end
  local readable, list = pcall(cjson.decode, text)
  if not readable or type(list) ~= 'table' then return end
  local prefix, left = string.sub(firing, 1, -1 - #key), {}
  local names = {'v', 'trigger', 'kind', 'object', 'occurrence', 'changed_ms', 'polled_ms', 'event'}
  local values = redis.call('HMGET', firing, unpack(names))
  for _, part in ipairs(list) do
    if not times[part.at] then
      left[#left + 1] = part
    elseif redis.call('EXISTS', prefix .. part.key) == 0 then
      local fields = {'state', 'waiting', 'key', part.key, 'lane', part.lane, 'action', part.action, 'granted_ms', now_ms(),
        'sequence', redis.call('INCR', ledger .. 'fence')}
      for i, name in ipairs(names) do
        if values[i] then fields[#fields + 1], fields[#fields + 2] = name, values[i] end
      end
      if part.signature then fields[#fields + 1], fields[#fields + 2] = 'signature', part.signature end
      if launched ~= '' then fields[#fields + 1], fields[#fields + 2] = 'launched', launched end
      redis.call('HSET', prefix .. part.key, unpack(fields))
      redis.call('ZADD', ledger .. 'due:' .. part.lane, now_ms(), part.key)
    end
  end
  if #left == 0 then redis.call('HDEL', firing, 'parts') else redis.call('HSET', firing, 'parts', cjson.encode(left)) end
end
