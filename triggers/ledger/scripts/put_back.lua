-- Make a claimed firing due again later: its attempt failed, or it snoozes. KEYS: firing, due, history, slots. ARGV: run id, token, firing key, pause ms, reason,
--   1 to count a failure, 1 to forget this attempt (it has not reached the clone call), history length,
--   1 to give back its slot
-- Rules out: a slot given away while a recorded draft may still be enqueued.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HSET', KEYS[1], 'reason', ARGV[5])
redis.call('HDEL', KEYS[1], 'lease')
if ARGV[6] == '1' then
  redis.call('HINCRBY', KEYS[1], 'failures', 1)
  remember(KEYS[3], ARGV[8], 'failed', KEYS[1], ARGV[5])
end
if ARGV[7] == '1' then
  local attempts = redis.call('HGET', KEYS[1], 'attempts')
  redis.call('HSET', KEYS[1], 'attempts', (string.gsub(attempts, ' ?%S+$', '')))
end
if ARGV[9] == '1' then give_back(KEYS[1], KEYS[4]) end
redis.call('ZADD', KEYS[2], now_ms() + tonumber(ARGV[4]), ARGV[3])
return 1
