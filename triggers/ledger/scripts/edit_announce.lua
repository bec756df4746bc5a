-- Say that an action is about to edit the object that fired, before it does. KEYS: firing, edits, edit times, marks, seen.
-- ARGV: run id, token, field of the trigger and the object, firing key, last change of the object as the action has read it,
--   up to which change polls have read as the caller knows, digest of the object as it will be, object.
-- Returns 1, or 0 where somebody else has changed the object since and no poll has read that: what the next one reads would
-- be of that change as well.
-- Rules out: an own edit read before it is recorded; a person's change that is taken for a part of it.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
local from, till = string.match(redis.call('HGET', KEYS[2], ARGV[3]) or '', '^(%d+) (%d+)')
local at, fired = tonumber(ARGV[5]), tonumber(ARGV[6])
local decided = string.match(redis.call('HGET', KEYS[4], ARGV[8]) or '', '^%d+:%d:(%d+):')
fired = math.max(fired, tonumber(decided or 0), tonumber(redis.call('ZSCORE', KEYS[5], ARGV[8]) or 0))
local own = till and at > tonumber(from) and at <= tonumber(till)
if at > fired and not own then return 0 end
if not own then from, till = ARGV[5], ARGV[5] end
redis.call('HSET', KEYS[2], ARGV[3], string.format('%s %s %s %s', from, till, ARGV[4], ARGV[7]))
redis.call('ZADD', KEYS[3], now_ms(), ARGV[3])
redis.call('HSET', KEYS[1], 'editing', 1)
return 1
