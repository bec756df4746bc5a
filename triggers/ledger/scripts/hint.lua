-- Whether to send a hint now: one is under way for each stage at most. KEYS: hinted, the stage's queue where the message is
-- given. ARGV: run id, stage, ms after which one that nobody has taken is sent again, '' for never, message or ''.
-- Returns 0 if none is to be sent, 1 if the caller has to send it, 2 if it is sent: the message lies in the queue.
-- Rules out: a queue that grows with what waits, by hints that all say the same; one that counts as sent and was not, by a
--   process that died between the two.
local now, sent = now_ms(), tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '')
if sent and sent <= now and (ARGV[3] == '' or now - sent < tonumber(ARGV[3])) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%d', now))
if (ARGV[4] or '') == '' then return 1 end
redis.call('LPUSH', KEYS[2], ARGV[4])
return 2
