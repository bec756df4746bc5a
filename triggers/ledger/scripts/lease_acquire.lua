-- Take a free lease. KEYS: lease, fence. ARGV: run id, milliseconds, nonce. Returns the token, or false if it is held.
-- Rules out: two holders at once by the ledger's clock; an old holder passing for the new one (the counter is in the token).
if is_held(KEYS[1]) then return false end
local token = new_token(KEYS[2], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
return token
