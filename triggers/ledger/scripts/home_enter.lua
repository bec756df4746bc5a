-- Become the home of the scheduler, if nobody is. KEYS: lease, home, fence. ARGV: run id, milliseconds, nonce, who we are (text).
-- Returns {token, ''}, or {'', who the holder says it is}.
-- Rules out: two serving processes at once; a refused process that does not learn who holds the lease.
if is_held(KEYS[1]) then return {'', redis.call('GET', KEYS[2]) or ''} end
local token = new_token(KEYS[3], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
redis.call('SET', KEYS[2], ARGV[4])
return {token, ''}
