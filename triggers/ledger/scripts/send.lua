-- Grant a firing that only tries an action: no mark, no occurrence, no key that a firing of a change could have.
-- KEYS: firing, due, fence, history. ARGV: run id, firing key, history length, who, field, value, field, value, ... (of the firing)
-- Returns 1, or 0 if there is one of that key.
-- Rules out: a trial that takes the place of a firing.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local now = now_ms()
redis.call('HSET', KEYS[1], 'state', 'waiting', 'granted_ms', now, 'sequence', redis.call('INCR', KEYS[3]), unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], now, ARGV[2])
remember(KEYS[4], ARGV[3], 'tried', KEYS[1], ARGV[4])
return 1
