-- End a firing: launched, skipped or dead. KEYS: firing, due, slots, marks, launched, launched times, strays, dead, history.
-- ARGV: run id, token, firing key, state, reason, ClearML task id or '',
--   slot or '' (of a firing that began before it kept that itself), object, trigger, retention ms, history length,
--   ms from now at which to look for strays, 0 for never
-- launched: the slot is bound to the ClearML task, or released after a function. skipped: the key is released, the object's next change is considered again.
-- dead: the slot is released, the key stays taken.
-- A launch grants the parts that waited for it; a dead letter those that did not have to, and those of `on_failed`, once
-- for each firing: also where the dead letter is one of its parts, but for those of `on_failed` themselves.
-- Rules out: a part that waits for what never comes, or is forgotten by a process that dies here; a slot bound to a firing that has ended without a launch; a skip that forgets to release its key.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
local now, key, state, task, slot = now_ms(), ARGV[3], ARGV[4], ARGV[6], ARGV[7]
redis.call('HSET', KEYS[1], 'state', state, 'reason', ARGV[5], 'ended_ms', now)
if task ~= '' and state == 'launched' then redis.call('HSET', KEYS[1], 'task', task) end
redis.call('HDEL', KEYS[1], 'lease', 'withdrawing', 'withdrawn_ms')
redis.call('ZREM', KEYS[2], key)
if slot ~= '' then redis.call('HSETNX', KEYS[1], 'slot', slot) end
give_back(KEYS[1], KEYS[3])
if state == 'launched' and task ~= '' then
  redis.call('HSET', KEYS[5], task, ARGV[9])
  redis.call('ZADD', KEYS[6], now, task)
end
local part = is_part(key)
if not part then
  if state == 'skipped' then release_key(KEYS[4], ARGV[8]) end
end
if state == 'launched' then grant_parts(KEYS[1], key, {begin = true, launched = task ~= ''}, task)
elseif state == 'dead' then
  grant_parts(KEYS[1], key, {begin = true}, '')
  local first = string.match(key, '^[^-]*')
  if not string.find(key, '-[ft]') then grant_parts(string.sub(KEYS[1], 1, -1 - #key) .. first, first, {dead = true}, '') end
end
if state == 'dead' then redis.call('ZADD', KEYS[8], now, key)
else redis.call('PEXPIRE', KEYS[1], ARGV[10]) end
if ARGV[12] ~= '0' then redis.call('ZADD', KEYS[7], now + tonumber(ARGV[12]), key) end
remember(KEYS[9], ARGV[11], part and state == 'launched' and 'acted' or state, KEYS[1], ARGV[5], task)
return now
