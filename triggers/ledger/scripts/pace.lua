-- In front of scripts that count launches, behind the prelude.
-- Count a firing against the pace of its trigger, once however often it is asked for; false where the minute is full.
-- Rules out: a retry counted twice.
local function within_pace(firing, pace, limit, now)
  if limit <= 0 or redis.call('HEXISTS', firing, 'paced') == 1 then return true end
  local counted, minute = redis.call('HMGET', pace, 'minute', 'count'), math.floor(now / 60000)
  local count = tonumber(counted[2] or '')
  if tonumber(counted[1] or '') ~= minute or not count then
    redis.call('HSET', pace, 'minute', minute, 'count', 0)
    redis.call('EXPIRE', pace, 120)
    count = 0
  end
  if count >= limit then return false end
  redis.call('HINCRBY', pace, 'count', 1)
  redis.call('HSET', firing, 'paced', 1)
  return true
end

