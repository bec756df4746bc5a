-- List firings whose last attempt failed and that are tried again by themselves. KEYS: due lists.
-- ARGV: run id, prefix of firing keys, how many of a list are looked at: those due last, since failures wait longest.
-- Returns {{firing key, ms when due, trigger, kind, object, failures, reason, lease, action}, ...}. Only reads; a script since a
-- list of many thousands that did not fail would be sent in vain.
local found = {}
for _, due in ipairs(KEYS) do
  local members = redis.call('ZREVRANGE', due, 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local firing = ARGV[2] .. members[i]
    if redis.call('TYPE', firing).ok == 'hash' then
      local f = redis.call('HMGET', firing, 'failures', 'trigger', 'kind', 'object', 'reason', 'lease',
        'action')
      if (tonumber(f[1] or '0') or 0) > 0 then
        found[#found + 1] = {members[i], members[i + 1], f[2] or '', f[3] or '', f[4] or '', f[1], f[5] or '',
          f[6] and current(f[6]) and f[6] or '', f[7] or ''}
      end
    end
  end
end
return found
