-- Pass a firing on to those who carry out what its trigger does now. KEYS: firing, due here, due there, slots.
-- ARGV: run id, token, firing key, lane. This attempt has called nothing: it is forgotten.
-- Rules out: a firing that is due in both lanes, or in none.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HSET', KEYS[1], 'lane', ARGV[4])
redis.call('HDEL', KEYS[1], 'lease')
redis.call('HSET', KEYS[1], 'attempts', (string.gsub(redis.call('HGET', KEYS[1], 'attempts'), ' ?%S+$', '')))
give_back(KEYS[1], KEYS[4])
redis.call('ZREM', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], now_ms(), ARGV[3])
return 1
