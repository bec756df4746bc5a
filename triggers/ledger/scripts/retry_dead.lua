-- Try a dead letter again. KEYS: firing, dead, history. ARGV: run id, firing key, prefix of due lists, history length.
-- Returns 1, or 0 if it is not a dead letter (any more). Its attempts are kept: what they left is looked for first.
-- Rules out: a dead letter retried twice at once.
if redis.call('HGET', KEYS[1], 'state') ~= 'dead' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'waiting', 'failures', 0)
redis.call('HDEL', KEYS[1], 'reason', 'ended_ms')
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZADD', ARGV[3] .. lane_of(KEYS[1]), now_ms(), ARGV[2])
remember(KEYS[3], ARGV[4], 'retried', KEYS[1])
return 1
