-- Make firings that wait for their next attempt due now. KEYS: due list. ARGV: run id, prefix of firing keys, firing key, ...
-- Returns how many were. One that an attempt holds is left alone: its time on the list is the end of a lease.
-- Rules out: a firing taken from the attempt that is at it.
local moved, now = 0, now_ms()
for i = 3, #ARGV do
  local lease, due = redis.call('HGET', ARGV[2] .. ARGV[i], 'lease'), redis.call('ZSCORE', KEYS[1], ARGV[i])
  if due and tonumber(due) > now and not (lease and current(lease)) then
    redis.call('ZADD', KEYS[1], now, ARGV[i])
    moved = moved + 1
  end
end
return moved
