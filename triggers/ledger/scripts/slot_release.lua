-- Free a slot because a person says so. KEYS: slots. ARGV: run id, slot, holder the person saw. Returns 1, or 0.
-- It stays as one without a holder, so that what still runs is not taken for its holder again (`slot_adopt`).
-- Rules out: the slot taken by another firing meanwhile, and freed under it.
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], '')
return 1
