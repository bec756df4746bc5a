-- Extend the leases of firings that are still ours. KEYS: due. ARGV: run id, lease ms, prefix, key, token, key, token, ...
-- Returns the keys that were lost.
local lost, till = {}, now_ms() + tonumber(ARGV[2])
for i = 4, #ARGV, 2 do
  if owns(ARGV[3] .. ARGV[i], ARGV[i + 1]) then redis.call('ZADD', KEYS[1], 'XX', till, ARGV[i])
  else lost[#lost + 1] = ARGV[i] end
end
return lost
