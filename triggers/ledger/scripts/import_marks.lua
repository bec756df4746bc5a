-- Take over for which objects a trigger has fired elsewhere, and what it launched. What is known here already stays.
-- KEYS: marks, slots, launched, launched times. ARGV: run id, trigger, slot or '', its holder, JSON {marks = {object, mark, ...}, tasks = {id, ...}}
-- Returns how many marks are new.
-- Rules out: an import that is repeated, or late, undoing what was decided here meanwhile.
local found, new = cjson.decode(ARGV[5]), 0
for i = 1, #found.marks, 2 do new = new + redis.call('HSETNX', KEYS[1], found.marks[i], found.marks[i + 1]) end
for _, task in ipairs(found.tasks) do
  if redis.call('HSETNX', KEYS[3], task, ARGV[2]) == 1 then redis.call('ZADD', KEYS[4], now_ms(), task) end
end
if ARGV[3] ~= '' then redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) end
return new
