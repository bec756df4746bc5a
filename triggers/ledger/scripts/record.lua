-- Write the ClearML task id of this attempt's clone, set-if-absent. KEYS: firing. ARGV: run id, token, ClearML task id,
--   its signature or ''.
-- From here on one enqueue of that id may have been sent. Returns the recorded id; since when it is recorded is kept.
-- Rules out: two ids enqueued for one firing; an attempt that lost its lease enqueuing.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
if redis.call('HSETNX', KEYS[1], 'task', ARGV[3]) == 1 then
  redis.call('HSET', KEYS[1], 'recorded_ms', now_ms(), 'recorded_by', ARGV[2])
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'task_signature', ARGV[4]) end
end
return redis.call('HGET', KEYS[1], 'task')
