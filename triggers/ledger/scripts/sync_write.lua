-- Remember what sync has done. KEYS: lease, sync. ARGV: run id, token, field, value, field, value, ... (an empty value removes)
-- Rules out: a sync worker that was frozen overwrites the newer memory of the worker that took over.
if not leads(KEYS[1], ARGV[2]) then return fenced('the sync lease was lost') end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i]) else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1
