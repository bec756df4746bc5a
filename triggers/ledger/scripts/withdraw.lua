-- Say that the recorded draft is going to be deleted. KEYS: firing. ARGV: run id, token, ClearML task id.
-- Returns how many ms ago that was announced first: the draft may go when even a Redis that dies has it on disk.
-- Rules out: a draft deleted by us, the answer lost, and the missing id taken for a launch that a person deleted.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
if redis.call('HGET', KEYS[1], 'task') ~= ARGV[3] then return fenced('another ClearML task is recorded') end
if redis.call('HGET', KEYS[1], 'withdrawing') ~= ARGV[3] then
  redis.call('HSET', KEYS[1], 'withdrawing', ARGV[3], 'withdrawn_ms', now_ms())
end
return now_ms() - tonumber(redis.call('HGET', KEYS[1], 'withdrawn_ms'))
