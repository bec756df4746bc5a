-- Become the home of the scheduler, if nobody is. KEYS: lease, home, fence. ARGV: run id, milliseconds, nonce, who we are (text),
-- 'alone' if no earlier holder can be alive, since we have just started this Redis.
-- Returns {token, '', 0}, or {'', who the holder says it is, ms at which its lease ends; 0: not known}.
-- Rules out: two serving processes at once; a refused process that does not learn who holds the lease.
if ARGV[5] ~= 'alone' and is_held(KEYS[1]) then
  local till = string.match(redis.call('HGET', ledger .. 'leases', KEYS[1]) or '', ' (%d+)$')
  return {'', redis.call('GET', KEYS[2]) or '', tonumber(till or 0)}
end
local token = new_token(KEYS[3], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
redis.call('SET', KEYS[2], ARGV[4])
return {token, '', 0}
