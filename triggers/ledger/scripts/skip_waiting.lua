-- Skip firings of one trigger that wait, held or due, without being launched. KEYS: list they wait in, holds, history, marks, slots.
-- ARGV: run id, hold or '', prefix of firing keys, retention ms, history length, reason, firing key, firing key, ...
-- Returns how many. Their keys are released: the objects' next changes are considered again.
-- Rules out: a firing skipped while somebody launches it (it has a lease then, or a recorded ClearML task).
local skipped = 0
for i = 7, #ARGV do
  local firing = ARGV[3] .. ARGV[i]
  local f = redis.call('HMGET', firing, 'lease', 'task', 'object', 'state')
  local waits = f[4] == 'waiting' or f[4] == 'held'
  if waits and not f[1] and not f[2] and redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', firing, 'state', 'skipped', 'reason', ARGV[6], 'ended_ms', now_ms())
    give_back(firing, KEYS[5])
    redis.call('PEXPIRE', firing, ARGV[4])
    if not is_part(ARGV[i]) then release_key(KEYS[4], f[3]) end
    remember(KEYS[3], ARGV[5], 'skipped', firing, ARGV[6])
    skipped = skipped + 1
  end
end
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return skipped
