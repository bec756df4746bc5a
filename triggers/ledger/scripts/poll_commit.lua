-- Store the batches of one page and move the cursor, if the poll lease is still ours.
-- KEYS: lease, cursor, seen, ready, events, epoch, registry version, service_watch. ARGV: run id, token, JSON of
--   {cursor = {field = value}, forget_before, server_ms, seen = {id, ms, ...}, batches = {{key, partition, text}, ...}, length,
--    partitions: how many order the batches, '0' if unknown,
--    noted = {field = value} of service tasks, as the page shows them; absent where that is nothing new,
--    assumed: what the poll took for granted of what it has read, absent where it has asked: {version = registry version,
--      fresh = {id, ms, ...} that no poll has seen so, known = {id, ms, ...} that some poll has}}
-- Batches are opaque text: they carry NaN, which cjson refuses.
-- Returns the number of batches, or -1 if something was not as assumed: nothing is stored, the poll has to ask.
-- Rules out: a cursor past events that were not stored, or past a change of a service task (killed between the two); a frozen poller moving the cursor back;
--   two numbers of partitions at once, so that an object's events wait in two of them; a change stored twice, or never, or
--   left out by triggers that were edited before it was made, where a poll goes by what it remembers.
if not leads(KEYS[1], ARGV[2]) then return fenced('the poll lease was lost') end
local page = cjson.decode(ARGV[3])
local function seen_so(changes, so)
  for i = 1, #changes, 2 do
    local score = redis.call('ZSCORE', KEYS[3], changes[i])
    if (score and tonumber(score) == tonumber(changes[i + 1]) or false) ~= so then return false end
  end
  return true
end
if page.assumed then
  if (redis.call('GET', KEYS[7]) or '0') ~= page.assumed.version then return -1 end
  if not seen_so(page.assumed.fresh, false) or not seen_so(page.assumed.known, true) then return -1 end
end
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
for field, value in pairs(page.noted or {}) do redis.call('HSET', KEYS[8], field, value) end
if #page.seen > 0 then redis.call('HSET', KEYS[6], 'changed_ms', now) end -- by which polls are slow or fast
redis.call('HSET', KEYS[2], 'polled_ms', now) -- of this source alone: others may be readable while it is not
if page.server_ms ~= '' and redis.call('HEXISTS', KEYS[6], 'server_ms') == 0 then
  redis.call('HSET', KEYS[6], 'server_ms', page.server_ms, 'first_polled_ms', now)
end
-- when a page was last read, by the ledger's clock: of the ClearML server, or of another source
redis.call('HSET', KEYS[6], page.server_ms ~= '' and 'polled_ms' or 'other_polled_ms', now)
return #page.batches
