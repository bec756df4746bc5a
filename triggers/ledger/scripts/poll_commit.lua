-- Store the batches of one page and move the cursor, if the poll lease is still ours.
-- KEYS: lease, cursor, seen, ready, events, epoch. ARGV: run id, token, JSON of
--   {cursor = {field = value}, forget_before, server_ms, seen = {id, ms, ...}, batches = {{key, partition, text}, ...}, length,
--    partitions: how many order the batches, '0' if unknown}
-- Batches are opaque text: they carry NaN, which cjson refuses.
-- Rules out: a cursor past events that were not stored (killed between the two); a frozen poller moving the cursor back;
--   two numbers of partitions at once, so that an object's events wait in two of them.
if not leads(KEYS[1], ARGV[2]) then return fenced('the poll lease was lost') end
local page = cjson.decode(ARGV[3])
if page.partitions ~= '0' then redis.call('HSET', KEYS[6], 'partitions', page.partitions) end
local now = now_ms()
for _, batch in ipairs(page.batches) do
  redis.call('RPUSH', batch[1], batch[3])
  redis.call('ZADD', KEYS[4], 'NX', now, batch[2])
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', page.length, '*', 'batch', batch[3])
end
for i = 1, #page.seen, 2 do redis.call('ZADD', KEYS[3], page.seen[i + 1], page.seen[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. page.forget_before)
for field, value in pairs(page.cursor) do redis.call('HSET', KEYS[2], field, value) end
if #page.seen > 0 then redis.call('HSET', KEYS[6], 'changed_ms', now) end -- by which polls are slow or fast
redis.call('HSET', KEYS[2], 'polled_ms', now) -- of this source alone: others may be readable while it is not
if page.server_ms ~= '' and redis.call('HEXISTS', KEYS[6], 'server_ms') == 0 then
  redis.call('HSET', KEYS[6], 'server_ms', page.server_ms, 'first_polled_ms', now)
end
-- when a page was last read, by the ledger's clock: of the ClearML server, or of another source
redis.call('HSET', KEYS[6], page.server_ms ~= '' and 'polled_ms' or 'other_polled_ms', now)
return #page.batches
