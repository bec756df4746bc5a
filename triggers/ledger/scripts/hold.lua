-- Let a firing wait on purpose, off the due list, until its hold is released. KEYS: firing, due, held, holds, history, marks, slots.
-- ARGV: run id, token, firing key, hold, reason, history length, 1 to keep only the newest (the others are skipped),
--   prefix of firing keys, retention ms. This attempt has called nothing: it is forgotten.
-- The newest is the one granted last; of two that changed within a minute of each other, the one that changed last: matchers of
-- two partitions grant what one poll has read in any order, while a clock that was set back tells nothing of two others.
-- Rules out: a slot kept by what waits on purpose; two firings waiting where only the latest should; a skip that forgets to release its key.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
redis.call('HSET', KEYS[1], 'state', 'held', 'reason', ARGV[5])
redis.call('HDEL', KEYS[1], 'lease')
give_back(KEYS[1], KEYS[7])
redis.call('HSET', KEYS[1], 'attempts', (string.gsub(redis.call('HGET', KEYS[1], 'attempts'), ' ?%S+$', '')))
redis.call('ZREM', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], redis.call('HGET', KEYS[1], 'sequence'), ARGV[3])
redis.call('SADD', KEYS[4], ARGV[4])
remember(KEYS[5], ARGV[6], 'held', KEYS[1], ARGV[5])
if ARGV[7] == '1' then
  local held, newest, changed = redis.call('ZRANGE', KEYS[3], 0, -1), nil, nil
  for _, key in ipairs(held) do
    local its = tonumber(redis.call('HGET', ARGV[8] .. key, 'changed_ms') or '0') or 0
    if not newest or its >= changed or changed - its > 60000 then newest, changed = key, its end
  end
  for _, key in ipairs(held) do
    if key ~= newest then
      local older = ARGV[8] .. key
      redis.call('HSET', older, 'state', 'skipped', 'reason', 'a newer firing took its place', 'ended_ms', now_ms())
      redis.call('PEXPIRE', older, ARGV[9])
      redis.call('ZREM', KEYS[3], key)
      give_back(older, KEYS[7])
      release_key(KEYS[6], redis.call('HGET', older, 'object'))
      remember(KEYS[5], ARGV[6], 'skipped', older, 'a newer firing took its place')
    end
  end
end
return 1
