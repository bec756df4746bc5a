-- Release held firings because a person says so, whatever their trigger's pace. KEYS: held, holds, history.
-- ARGV: run id, hold, prefix of firing keys, prefix of due lists, history length, who, firing key, firing key, ...
-- Returns how many. `paced` tells `begin.lua` that they are not to be counted and held again for their pace.
-- Rules out: a firing that is on neither list; one released twice.
local released = 0
for i = 7, #ARGV do
  if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
    local firing = ARGV[3] .. ARGV[i]
    local lane = lane_of(firing)
    if lane then
      redis.call('HSET', firing, 'state', 'waiting', 'paced', 1)
      redis.call('HDEL', firing, 'reason')
      redis.call('ZADD', ARGV[4] .. lane, now_ms(), ARGV[i])
      remember(KEYS[3], ARGV[5], 'released', firing, ARGV[6])
      released = released + 1
    end
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
return released
