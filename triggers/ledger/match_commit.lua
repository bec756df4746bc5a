-- Grant the firings of one batch, update marks, remove the batch - all or nothing.
-- KEYS: lease, batches, ready, history, lane dispatch, lane caller, fence. ARGV: run id, token, batch id, partition, JSON of changes
--   {{marks key, object, mark expected, mark new, firing key name or '', firing key, lane, {field, value, ...}, active key or '', trigger}, ...}, history length
-- Returns the number granted, or -1 if a mark is not what the matcher read (a release came between): match again.
-- Rules out: a batch removed without its firings; a key granted twice; a frozen matcher committing out of order.
if not leads(KEYS[1], ARGV[2]) then return fenced('the partition lease was lost') end
local head = redis.call('LINDEX', KEYS[2], 0)
if not head or string.sub(head, 1, #ARGV[3]) ~= ARGV[3] then return fenced('the batch was matched by another') end
local changes = cjson.decode(ARGV[5])
for _, c in ipairs(changes) do
  if (redis.call('HGET', c[1], c[2]) or '') ~= c[3] then return -1 end
end
local now, granted = now_ms(), 0
for _, c in ipairs(changes) do
  if c[4] ~= '' then
    redis.call('HSET', c[1], c[2], c[4])
    if c[9] ~= '' then redis.call(string.match(c[4], '^%d+:1') and 'SADD' or 'SREM', c[9], c[10]) end
  end
  if c[5] ~= '' then
    local state = redis.call('HGET', c[5], 'state')
    if not state or state == 'skipped' then
      redis.call('DEL', c[5])
      redis.call('HSET', c[5], 'state', 'waiting', 'granted_ms', now, 'sequence', redis.call('INCR', KEYS[7]), unpack(c[8]))
      redis.call('ZADD', c[7] == 'caller' and KEYS[6] or KEYS[5], now, c[6])
      remember(KEYS[4], ARGV[6], 'granted', c[5])
      granted = granted + 1
    end
  end
end
redis.call('LPOP', KEYS[2])
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[3], ARGV[4])
else redis.call('ZADD', KEYS[3], now, ARGV[4]) end
return granted
