-- Grant one firing that a person asked for. KEYS: marks, firing, due, fence, history.
-- ARGV: run id, object, mark the caller read ('' for none), new mark, firing key, reason, history length,
--   active key or '', trigger, field, value, field, value, ... (of the firing)
-- Returns 1, or 0 if the mark is not what was read or the key is taken: read again.
-- Rules out: a person and a matcher granting one occurrence twice; a mark moved without its firing.
if (redis.call('HGET', KEYS[1], ARGV[2]) or '') ~= ARGV[3] then return 0 end
local state = redis.call('HGET', KEYS[2], 'state')
if state and state ~= 'skipped' then return 0 end
local now = now_ms()
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
if ARGV[8] ~= '' then redis.call('SADD', ARGV[8], ARGV[9]) end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'state', 'waiting', 'granted_ms', now, 'sequence', redis.call('INCR', KEYS[4]), unpack(ARGV, 10))
redis.call('ZADD', KEYS[3], now, ARGV[5])
remember(KEYS[5], ARGV[7], 'granted', KEYS[2], ARGV[6])
return 1
