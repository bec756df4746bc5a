-- Give back a lease that is still ours. KEYS: lease. ARGV: run id, token. Returns 1, or 0 if it was lost before.
if not leads(KEYS[1], ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
return 1
