-- Not fenced by the prelude: this is how a caller learns the epoch. KEYS: epoch.
-- ARGV: complete (1: nothing was launched before), nonce of the epoch if one begins, highest number that the caller knows of,
--   how far the caller has seen the counter of tokens go, and in which epoch (run id and nonce, as `prelude` gets them).
-- Begins a new epoch when Redis is another run than the one that wrote last (restarted, promoted, copied), when its data has
-- no nonce (empty), or is older than what the caller has seen (restored). Leases of the old one are refused by the prelude.
-- Returns {run id, number, server_ms or '', complete, number of the epoch whose slots are known or '', nonce,
--   number of the epoch whose saved state was recalled or '', time at which it was first polled or '', time at which it began}.
-- Rules out: two epochs of one number where data was lost; a race of callers that each begin one without end: what
--   a caller has seen in an earlier epoch says nothing of this one.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local known = redis.call('HMGET', KEYS[1], 'run_id', 'nonce', 'number')
local number, floor = tonumber(known[3] or '') or 0, tonumber(ARGV[3])
local seen = tonumber(ARGV[4] or '') or 0
local fence = tonumber(redis.call('GET', ledger .. 'fence') or '') or seen -- a missing one tells nothing
local went_back = fence < seen and ARGV[5] == run .. '.' .. (known[2] or '')
if known[1] ~= run or not known[2] or number < floor or went_back then
  redis.call('HSET', KEYS[1], 'run_id', run, 'nonce', ARGV[2], 'number', string.format('%d', math.max(number, floor) + 1),
    'began_ms', string.format('%d', now_ms()))
  redis.call('HDEL', KEYS[1], 'server_ms', 'first_polled_ms')
  if not known[1] then
    redis.call('HSET', KEYS[1], 'complete', ARGV[1])
    if ARGV[1] == '1' then redis.call('HSET', KEYS[1], 'slots', redis.call('HGET', KEYS[1], 'number')) end
  end
end
local facts = redis.call('HMGET', KEYS[1], 'number', 'server_ms', 'complete', 'slots', 'nonce', 'recalled', 'first_polled_ms', 'began_ms')
for i = 1, 8 do facts[i] = facts[i] or '' end
return {run, unpack(facts)}
