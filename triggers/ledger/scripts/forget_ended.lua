-- Forget firings that have ended: these have a time at which they expire, and no others. KEYS: epoch. ARGV: run id, prefix of firings, firing key, firing key, ...
-- Returns how many were forgotten.
-- Rules out: forgetting a firing that was granted again, or retried, after somebody saw it ended;
--   forgetting one that has parts still to be granted.
local forgotten = 0
for i = 3, #ARGV do
  local firing = ARGV[2] .. ARGV[i]
  if redis.call('PTTL', firing) > 0 and redis.call('HEXISTS', firing, 'parts') == 0 then
    forgotten = forgotten + redis.call('UNLINK', firing)
  end
end
return forgotten
