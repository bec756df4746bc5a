-- Write registry entries and raise the version, if nobody wrote since the caller read. KEYS: registry, version.
-- ARGV: run id, version the caller read, new version, trigger id, entry, trigger id, entry, ... (an empty entry removes)
-- Returns the new version, or -1 if another writer was first: read again.
-- Rules out: the three writers (script, ClearML configuration, command line) undoing each other unseen.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[2] then return -1 end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('SET', KEYS[2], ARGV[3])
return tonumber(ARGV[3])
