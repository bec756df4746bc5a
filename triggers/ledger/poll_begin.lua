-- Take the poll lease if a poll is due. KEYS: lease, fence, next_poll. ARGV: run id, lease ms, nonce, pace ms, force (0/1).
-- Returns the token, or false. The next poll is due one pace after this one begins, however long it takes.
-- Rules out: two pollers at once; more polls than the pace says when several beats tick.
local now = now_ms()
if ARGV[5] ~= '1' and now < tonumber(redis.call('GET', KEYS[3]) or '0') then return false end
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local token = new_token(KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
redis.call('SET', KEYS[3], now + tonumber(ARGV[4]))
return token
