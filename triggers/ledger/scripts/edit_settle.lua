-- Say up to which change an announced edit goes. KEYS: firing, edits.
-- ARGV: run id, token, field of the trigger and the object, firing key, last change of the object after the edit,
--   digest of the object as it is then.
-- Returns 1 where it is as was announced; 0 where somebody else has changed it as well: that fires.
-- Rules out: an announcement of another firing settled by this one; an edit that a lost reply hides.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HDEL', KEYS[1], 'editing')
local from, till, key, digest = string.match(redis.call('HGET', KEYS[2], ARGV[3]) or '', '^(%d+) (%d+) (%S+) (%S+)$')
if key ~= ARGV[4] then return 0 end
local as_announced = digest == ARGV[6]
if as_announced and tonumber(ARGV[5]) > tonumber(till) then till = ARGV[5] end
redis.call('HSET', KEYS[2], ARGV[3], string.format('%s %s - -', from, till))
return as_announced and 1 or 0
