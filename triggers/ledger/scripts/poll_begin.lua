-- Take the poll lease if a poll is due. KEYS: lease, fence, next_poll, service_watch, registry version.
-- ARGV: run id, lease ms, nonce, pace ms, slack ms, force (0/1), longest pace ms, limit of calls ('' for none).
-- Returns the token, or false. Polls keep to a grid of one pace, however long each takes; a tick may be early by the slack.
-- Rules out: two pollers at once; more polls than the pace says when several beats tick; a new trigger, a new start or a
--   raised limit that waits for as long as a poll before it found good.
local now, due, pace, slack = now_ms(), tonumber(redis.call('GET', KEYS[3]) or '') or 0, tonumber(ARGV[4]), tonumber(ARGV[5])
if due > now + math.max(pace, tonumber(ARGV[7] or ARGV[4])) + slack then due = now end -- the pace was slower
local polled_for = (redis.call('GET', KEYS[5]) or '0') .. ' ' .. run -- other triggers or a new start are a change as well
local known = redis.call('HMGET', KEYS[4], 'polled_for', 'stretched_ms', 'by_budget_ms', 'limit')
local more, is_new = tonumber(known[2] or '') or 0, known[1] ~= polled_for
if more > 0 and known[4] ~= (ARGV[8] or '') then
  due = due - more
elseif more > 0 and is_new then
  due = due - math.max(0, more - (tonumber(known[3] or '') or 0))
end
if ARGV[6] ~= '1' and now < due - slack then return false end
if is_held(KEYS[1]) then return false end
local token = new_token(KEYS[2], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
redis.call('SET', KEYS[3], string.format('%d', math.max(due + pace, now + pace - slack)))
-- by which others know when polls see the next change; until this poll has read anything, the pause before it counts
redis.call('HSET', KEYS[4], 'polled_ms', now, 'pace_ms', ARGV[4], 'before_ms', redis.call('HGET', KEYS[4], 'pace_ms') or ARGV[4],
  'polled_for', polled_for, 'stretched_ms', 0, 'by_budget_ms', 0)
if is_new then redis.call('HSET', epoch, 'changed_ms', now) end
return token
