-- Count the history: what happened how often by trigger, and the last of each. KEYS: history. ARGV: run id, oldest entry id,
--   reason of launches that were found, which do not count.
-- Returns {{trigger, what, count, id of the last, object, ClearML task}, ...}. Only reads; here since ten thousand
-- entries cost half a second to send and a few milliseconds to count.
local counts, order = {}, {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+')) do
  local f = entry[2]
  local what, trigger, object, task = f[2], f[4], f[6], f[12]
  if what ~= 'launched' or f[10] ~= ARGV[3] then
    local name = what .. '\0' .. trigger
    local row = counts[name]
    if not row then
      row = {trigger, what, 0}
      counts[name] = row
      order[#order + 1] = row
    end
    row[3], row[4], row[5], row[6] = row[3] + 1, entry[1], object, task
  end
end
return order
