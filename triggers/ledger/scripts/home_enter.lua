-- Become the home of the scheduler, if nobody is. KEYS: lease, home, fence. ARGV: run id, milliseconds, nonce, who we are (text).
-- Returns {token, ''}, or {'', who the holder says it is}.
-- Rules out: two processes at home at once; a holder whose name cannot be told to the one that it keeps out.
if is_held(KEYS[1]) then return {'', redis.call('GET', KEYS[2]) or ''} end
local token = new_token(KEYS[3], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
redis.call('SET', KEYS[2], ARGV[4])
return {token, ''}
