-- In front of every script: the ledger's clock. It is Redis' wall clock as long as that goes forward; where that is set
-- back, the ledger goes on from its last time, and falls back to the wall clock by a sixteenth of the time that passes.
-- Every time in the ledger is of this clock: what was due in ten seconds is due in ten seconds, whatever people or NTP do.
-- Rules out: leases of the dead, due times and paces that lie as far in the future as the clock was set back.
local ledger = string.match(KEYS[1], '^[^{]*{[^}]*}:')
local epoch = ledger .. 'epoch'

local function now_ms()
  local time = redis.call('TIME')
  local wall = time[1] * 1000 + math.floor(time[2] / 1000)
  local known = redis.call('HMGET', epoch, 'clock_ms', 'ahead_ms')
  local last, ahead = tonumber(known[1] or '') or 0, tonumber(known[2] or '') or 0
  local now = wall + ahead
  if now < last then
    redis.call('HSET', epoch, 'clock_ms', string.format('%d', last), 'ahead_ms', string.format('%d', last - wall))
    return last
  end
  if now - last >= 1000 then
    if ahead > 0 and last > 0 then
      ahead = math.max(0, ahead - math.floor((now - last) / 16))
      now = wall + ahead
    end
    redis.call('HSET', epoch, 'clock_ms', string.format('%d', now), 'ahead_ms', string.format('%d', ahead))
  end
  return now
end
