-- Let a firing wait on purpose, off the due list, until its hold is released. KEYS: firing, due, held, holds, history.
-- ARGV: run id, token, firing key, hold, reason, history length. This attempt has called nothing: it is forgotten.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HSET', KEYS[1], 'state', 'held', 'reason', ARGV[5])
redis.call('HDEL', KEYS[1], 'lease')
redis.call('HSET', KEYS[1], 'attempts', (string.gsub(redis.call('HGET', KEYS[1], 'attempts'), ' ?%S+$', '')))
redis.call('ZREM', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], redis.call('HGET', KEYS[1], 'sequence'), ARGV[3])
redis.call('SADD', KEYS[4], ARGV[4])
remember(KEYS[5], ARGV[6], 'held', KEYS[1], ARGV[5])
return 1
