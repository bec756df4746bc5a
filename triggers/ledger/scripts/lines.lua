-- In front of scripts that take firings from a list (`due:<lane>`, `held:receiver:<host>`), behind the prelude. What can be
-- taken stands in a line of its trigger, and the triggers take turns, one firing each.
-- The list stays the truth: what stands in a line has its score there less LINED. So what another script adds, moves or takes
-- off the list stands in no line any more, although that script knows nothing of lines; what a line still has of it is dropped here.
-- All lines of a list are one sorted set in the order of its members. A member begins with what every firing key of its trigger
-- begins with: the next trigger is one search away. Then come score and number of the grant, in which order a line moves on.
-- Rules out: a flood of one trigger in front of what others wait for; a firing that is on the list and never comes to stand in a line.
local LINED, LINED_UP = 10000000000000, 250

-- Let what is on the list up to a score stand in lines, some at a time; whether there may be more. Lines that are gone while
-- the list tells of some are made anew.
local function line_up(list, lines, till, prefix)
  if redis.call('EXISTS', lines) == 0 then
    local lost = redis.call('ZRANGEBYSCORE', list, '-inf', '(0', 'LIMIT', 0, LINED_UP)
    for _, key in ipairs(lost) do redis.call('ZINCRBY', list, LINED, key) end
  end
  local found = redis.call('ZRANGEBYSCORE', list, 0, till, 'WITHSCORES', 'LIMIT', 0, LINED_UP)
  if #found == 0 then return false end
  local scores, members = {}, {}
  for i = 1, #found, 2 do
    local key, score = found[i], math.floor(tonumber(found[i + 1]))
    local sequence = redis.pcall('HGET', prefix .. key, 'sequence')
    sequence = type(sequence) == 'string' and #sequence <= 15 and string.match(sequence, '^%d+$') or 0
    scores[i], scores[i + 1] = score - LINED, key
    members[i], members[i + 1] = 0, string.sub(key .. '        ', 1, 8) .. string.format('%015d%015d', score, sequence) .. key
  end
  redis.call('ZADD', list, 'XX', unpack(scores))
  redis.call('ZADD', lines, unpack(members))
  return #found == 2 * LINED_UP
end

-- Offer firings to `take` in turn, beginning behind the trigger that was served last, until it has taken `limit` of them.
-- `take` answers 'taken', 'gone' for one that does not exist, or 'left' for one that has to keep its place in the line.
-- Looks `limit` times and some more at most; whether to look again: there may be more behind what was dropped.
local function take_turns(list, lines, served, limit, more, take)
  local began = redis.call('GET', served) or ''
  local trigger, taken, dropped, left, any = began, 0, false, {}, true
  for _ = 1, 3 * limit + more do
    if taken >= limit then break end
    local member = redis.call('ZRANGEBYLEX', lines, trigger == '' and '-' or '(' .. trigger .. '\255', '+', 'LIMIT', 0, 1)[1]
    if not member then
      if not any then dropped = false break end -- a whole round, and nothing was taken
      trigger, any = '', false
    else
      local its = string.sub(member, 1, 8)
      if left[its] then member = redis.call('ZRANGEBYLEX', lines, '(' .. left[its], '(' .. its .. '\255', 'LIMIT', 0, 1)[1] end
      local key, score = string.sub(member or '', 39), (tonumber(string.sub(member or '', 9, 23)) or 0) - LINED
      local what = member and (tonumber(redis.call('ZSCORE', list, key) or '') == score and take(key) or 'gone')
      if not member then trigger = its
      elseif what == 'left' then left[its] = member
      else
        redis.call('ZREM', lines, member)
        if what == 'gone' then dropped = true else trigger, taken, any = its, taken + 1, true end
      end
    end
  end
  if trigger ~= began and trigger ~= '' then redis.call('SET', served, trigger) end
  return dropped and taken < limit
end
