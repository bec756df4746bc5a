-- Forget marks of one trigger. KEYS: marks, forgotten. ARGV: run id, trigger, 1 if their objects may fire again,
--   prefix of firings, prefix of the sets of triggers that see an object's condition as true,
--   object, mark as it was read, key of its last firing, object, mark, key, ...
-- Returns how many were forgotten.
-- Rules out: a mark forgotten that has changed since it was looked at, or whose firing is still known; a matcher that does not
--   find a mark, and does not know either that it was forgotten.
local gone = 0
local count, most, active = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^(%d+) (%d+) (%d)$')
count, most = tonumber(count or 0), tonumber(most or 0)
for i = 6, #ARGV, 3 do
  local object, mark = ARGV[i], ARGV[i + 1]
  if redis.call('HGET', KEYS[1], object) == mark and redis.call('EXISTS', ARGV[4] .. ARGV[i + 2]) == 0 then
    redis.call('HDEL', KEYS[1], object)
    redis.call('SREM', ARGV[5] .. object, ARGV[2])
    gone = gone + 1
    if ARGV[3] == '1' then
      local occurrence, holds = string.match(mark, '^(%d+):(%d)')
      most = math.max(most, tonumber(occurrence))
      if holds == '1' then active = '1' end
    end
  end
end
if gone > 0 then redis.call('HSET', KEYS[2], ARGV[2], string.format('%d %d %s', count + gone, most, active or '0')) end
return gone
