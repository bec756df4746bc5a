-- Forget the recorded id after its draft is gone. KEYS: firing. ARGV: run id, token, ClearML task id.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
if redis.call('HGET', KEYS[1], 'task') ~= ARGV[3] then return fenced('another ClearML task is recorded') end
redis.call('HDEL', KEYS[1], 'task', 'withdrawing', 'withdrawn_ms', 'recorded_ms', 'recorded_by', 'task_signature')
return 1
