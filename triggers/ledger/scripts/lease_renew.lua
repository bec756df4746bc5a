-- Extend a lease that is still ours. KEYS: lease. ARGV: run id, milliseconds, token. Returns 1, or 0 if it is lost.
if not leads(KEYS[1], ARGV[3]) then return 0 end
hold_lease(KEYS[1], ARGV[3], ARGV[2])
return 1
