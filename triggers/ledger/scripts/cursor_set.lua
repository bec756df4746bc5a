-- Let the next poll read from another time on. KEYS: lease, cursor, seen. ARGV: run id, read_to_ms.
-- Returns 1, 0 while a poll is under way, -1 if the source was never read: it begins where its triggers do.
-- What was seen since that time is forgotten, so that it is matched again; marks keep fired objects from firing again.
-- Rules out: a poll under way moving the cursor back to where it was.
if is_held(KEYS[1]) then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return -1 end
local to = tonumber(ARGV[2])
redis.call('HSET', KEYS[2], 'read_to_ms', ARGV[2])
for _, field in ipairs({'overlapped_ms', 'swept_ms'}) do
  if tonumber(redis.call('HGET', KEYS[2], field) or '0') > to then redis.call('HSET', KEYS[2], field, ARGV[2]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], ARGV[2], '+inf')
return 1
