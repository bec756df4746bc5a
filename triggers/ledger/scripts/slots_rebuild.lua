-- Bind slots to ClearML tasks found running that Redis may have forgotten, once per epoch. KEYS: slots, epoch.
-- ARGV: run id, epoch number, slot, holder, slot, holder, ... Returns 1, or 0 if it was done before.
-- What runs replaces the holder that is known: that was written before anything that was forgotten, and nobody
-- takes a slot in an epoch before this has run.
-- Rules out: two running tasks in one slot after Redis lost its last second or came back empty.
if redis.call('HGET', KEYS[2], 'slots') == ARGV[2] then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[2], 'slots', ARGV[2])
return 1
