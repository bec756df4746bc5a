-- Give up held firings or dead letters for good. KEYS: list (held:<hold> or dead), holds, history, slots.
-- ARGV: run id, hold or '', prefix of firing keys, retention ms, history length, who, firing key, firing key, ...
-- Returns how many. Their keys stay taken: a dropped occurrence never fires again.
-- Rules out: a firing dropped while it is being launched (it is on neither list then).
local dropped = 0
for i = 7, #ARGV do
  if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
    local firing = ARGV[3] .. ARGV[i]
    redis.call('HSET', firing, 'state', 'dropped', 'ended_ms', now_ms())
    give_back(firing, KEYS[4])
    redis.call('PEXPIRE', firing, ARGV[4])
    remember(KEYS[3], ARGV[5], 'dropped', firing, ARGV[6])
    dropped = dropped + 1
  end
end
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return dropped
