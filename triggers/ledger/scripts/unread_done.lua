-- Forget that triggers were not served: what passed them by has been read again. KEYS: unread triggers.
-- ARGV: run id, trigger id, note as it was when that reading began, trigger id, note, ...
-- Rules out: a note forgotten that was renewed meanwhile, by somebody who still cannot read the entry.
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return 1
