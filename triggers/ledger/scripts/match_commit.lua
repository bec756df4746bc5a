-- Grant the firings of one batch, update marks, remove the batch - all or nothing.
-- KEYS: lease, batches, ready, history, lane dispatch, lane caller, fence, undecided events, partitions that hold some,
--   triggers whose marks `active` knows, lane act.
-- ARGV: run id, token, batch id or '' (only undecided events were decided), partition, JSON of changes
--   {{marks key, object, mark expected, mark new, firing key name or '', firing key, lane, {field, value, ...}, active key, trigger,
--    true if the trigger has to see the condition become false}, ...}, history length,
--   object, its undecided events from now on or '', object, ...
-- Returns the number granted, or -1 if a mark is not what the matcher read (a release came between): match again.
-- Rules out: a batch removed without its firings; a key granted twice; a frozen matcher committing out of order;
--   an event left undecided and decided on as well, or neither.
if not leads(KEYS[1], ARGV[2]) then return fenced('the partition lease was lost') end
local head = ARGV[3] == '' and '' or redis.call('LINDEX', KEYS[2], 0)
if not head or string.sub(head, 1, #ARGV[3]) ~= ARGV[3] then return fenced('the batch was matched by another') end
local changes = cjson.decode(ARGV[5])
for _, c in ipairs(changes) do
  if (redis.call('HGET', c[1], c[2]) or '') ~= c[3] then return -1 end
end
local now, granted, due = now_ms(), 0, {caller = KEYS[6], act = KEYS[11]}
for _, c in ipairs(changes) do
  if c[4] ~= '' then
    redis.call('HSET', c[1], c[2], c[4])
    if c[11] or redis.call('HEXISTS', KEYS[10], c[10]) == 1 then redis.call(string.match(c[4], '^%d+:1') and 'SADD' or 'SREM', c[9], c[10]) end
  end
  if c[5] ~= '' then
    local state = redis.call('HGET', c[5], 'state')
    if not state or state == 'skipped' then
      redis.call('DEL', c[5])
      redis.call('HSET', c[5], 'state', 'waiting', 'granted_ms', now, 'sequence', redis.call('INCR', KEYS[7]), unpack(c[8]))
      redis.call('ZADD', due[c[7]] or KEYS[5], now, c[6])
      if is_part(c[6]) then
        remember(KEYS[4], ARGV[6], 'resolved', c[5])
      else
        remember(KEYS[4], ARGV[6], 'granted', c[5])
      end
      granted = granted + 1
    end
  end
end
for i = 7, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[8], ARGV[i]) else redis.call('HSET', KEYS[8], ARGV[i], ARGV[i + 1]) end
end
redis.call(redis.call('EXISTS', KEYS[8]) == 1 and 'SADD' or 'SREM', KEYS[9], ARGV[4])
if ARGV[3] == '' then return granted end
redis.call('LPOP', KEYS[2])
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[3], ARGV[4])
else redis.call('ZADD', KEYS[3], now, ARGV[4]) end
return granted
