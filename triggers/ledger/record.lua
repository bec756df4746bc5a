-- Write the ClearML task id of this attempt's clone, set-if-absent. KEYS: firing. ARGV: run id, token, ClearML task id.
-- From here on one enqueue of that id may have been sent. Returns the recorded id.
-- Rules out: two ids enqueued for one firing; an attempt that lost its lease enqueueing.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HSETNX', KEYS[1], 'task', ARGV[3])
return redis.call('HGET', KEYS[1], 'task')
