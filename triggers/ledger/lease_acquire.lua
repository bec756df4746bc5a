-- Take a free lease. KEYS: lease, fence. ARGV: run id, milliseconds, nonce. Returns the token, or false if it is held.
-- Rules out: two holders at once by Redis' own clock; an old holder passing for the new one (the counter is in the token).
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local token = new_token(KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return token
