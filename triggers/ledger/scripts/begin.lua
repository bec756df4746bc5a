-- May this firing be launched now? Counts it against its trigger's pace and binds the slot.
-- KEYS: firing, slots, pace. ARGV: run id, token, firing key, slot or '', holder the caller knows to have ended, limit per minute.
-- Returns {'go'}, {'pace', ms of the next minute} or {'busy', holder}.
-- A slot that it took before and does not need any more, since its trigger was edited, goes back.
-- A firing that may be launched grants its parts: until then they wait, or are skipped, with it.
-- Rules out: two firings in one slot (the holder that was looked at must still be the one replaced); a part granted twice, or of a firing that is held or skipped; a slot kept by a firing that has ended or is gone.
if not owns(KEYS[1], ARGV[2]) then return fenced('the firing was taken by another') end
if (redis.call('HGET', KEYS[1], 'slot') or ARGV[4]) ~= ARGV[4] then give_back(KEYS[1], KEYS[2]) end
local prefix = string.sub(KEYS[1], 1, -1 - #ARGV[3])
if ARGV[4] ~= '' then
  local holder = redis.call('HGET', KEYS[2], ARGV[4])
  if holder and holder ~= ARGV[5] and string.match(holder, '^%S*') ~= ARGV[3] and holds(holder, ARGV[4], prefix) then
    return {'busy', holder}
  end
end
local now = now_ms()
if not within_pace(KEYS[1], KEYS[3], tonumber(ARGV[6]), now) then
  return {'pace', tostring((math.floor(now / 60000) + 1) * 60000)}
end
if ARGV[4] ~= '' then
  local holder = redis.call('HGET', KEYS[2], ARGV[4])
  if not holder or string.match(holder, '^%S*') ~= ARGV[3] then redis.call('HSET', KEYS[2], ARGV[4], ARGV[3] .. ' ') end
  redis.call('HSET', KEYS[1], 'slot', ARGV[4])
end
grant_parts(KEYS[1], ARGV[3], {begin = true}, '')
return {'go'}
