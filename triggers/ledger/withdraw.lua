-- Say that the recorded draft is going to be deleted. KEYS: firing. ARGV: run id, token, ClearML task id.
-- Rules out: a draft deleted by us, the answer lost, and the missing id taken for a launch that a person deleted.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
if redis.call('HGET', KEYS[1], 'task') ~= ARGV[3] then return fenced('another ClearML task is recorded') end
redis.call('HSET', KEYS[1], 'withdrawing', ARGV[3])
return 1
