-- Let the next poll wait longer than the pace, if the poll lease is still ours. KEYS: lease, next_poll, service_watch.
-- ARGV: run id, token, ms more, how many of these for the limit of calls, that limit ('' for none).
-- It waits so long as long as triggers, run and limit are the same (`poll_begin`).
-- Rules out: a frozen poller delaying the polls of the one that took over.
if not leads(KEYS[1], ARGV[2]) then return 0 end
local due = tonumber(redis.call('GET', KEYS[2]) or '') or 0
if due > 0 then redis.call('SET', KEYS[2], string.format('%d', due + tonumber(ARGV[3]))) end
redis.call('HINCRBY', KEYS[3], 'pace_ms', ARGV[3])
redis.call('HSET', KEYS[3], 'stretched_ms', ARGV[3], 'by_budget_ms', ARGV[4], 'limit', ARGV[5])
return 1
