-- Whether to send a hint now: one is under way for each stage at most. KEYS: hinted. ARGV: run id, stage, ms after which one
-- that nobody has taken is sent again, '' for never. Returns 1 if it is to be sent.
-- Rules out: a queue that grows with what waits, by hints that all say the same.
local now, sent = now_ms(), tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '')
if sent and sent <= now and (ARGV[3] == '' or now - sent < tonumber(ARGV[3])) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%d', now))
return 1
