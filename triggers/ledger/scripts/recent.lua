-- Count the history: what happened how often by trigger, and the last of each. KEYS: history. ARGV: run id, oldest entry id,
--   reason of launches that were found, which do not count.
-- Returns {{trigger, what, count, id of the last, object, ClearML task}, ...}. Only reads; here since ten thousand
-- entries cost half a second to send and a few milliseconds to count.
-- A field that an entry lacks counts as empty; fields in another order are those of another release.
local counts, order = {}, {}
local function fields_of(flat)
  if flat[1] == 'what' and flat[3] == 'trigger' and flat[5] == 'object' and flat[9] == 'reason' and flat[11] == 'task' then
    return flat[2], flat[4], flat[6], flat[10], flat[12]
  end
  local named = {}
  for i = 1, #flat, 2 do named[flat[i]] = flat[i + 1] end
  return named.what or '', named.trigger or '', named.object or '', named.reason or '', named.task or ''
end
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+')) do
  local what, trigger, object, reason, task = fields_of(entry[2])
  if what ~= 'launched' or reason ~= ARGV[3] then
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
