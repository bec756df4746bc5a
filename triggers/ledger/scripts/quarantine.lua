-- Quarantine the oldest batch of a partition: nobody will ever read it. KEYS: lease, batches, ready, quarantine.
-- ARGV: run id, token, text of the batch, partition, JSON of what is kept of it, how many are kept. Returns how many are.
-- Rules out: a batch taken away that another has matched meanwhile, or one that lies behind it.
if not leads(KEYS[1], ARGV[2]) then return fenced('the partition lease was lost') end
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[3] then return fenced('the batch was matched by another') end
redis.call('LPOP', KEYS[2])
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[3], ARGV[4])
else redis.call('ZADD', KEYS[3], now_ms(), ARGV[4]) end
redis.call('LPUSH', KEYS[4], ARGV[5])
redis.call('LTRIM', KEYS[4], 0, tonumber(ARGV[6]) - 1)
return redis.call('LLEN', KEYS[4])
