-- Take a staged registry into use, if nobody wrote since the caller read. KEYS: registry, version, staged, name for the old one.
-- ARGV: run id, version the caller read, new version, number of entries that were staged
-- Returns the new version, or -1 if another writer was first or a part was forgotten: read again.
-- Rules out: a reader that sees half of a large change; a registry that lacks the parts which expired before the last was there.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[2] or redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[4]) then
  redis.call('UNLINK', KEYS[3])
  return -1
end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[4]) end
redis.call('RENAME', KEYS[3], KEYS[1])
redis.call('PERSIST', KEYS[1])
redis.call('UNLINK', KEYS[4])
redis.call('SET', KEYS[2], ARGV[3])
return tonumber(ARGV[3])
