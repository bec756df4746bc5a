-- Take the poll lease if a poll is due. KEYS: lease, fence, next_poll, service_watch. ARGV: run id, lease ms, nonce, pace ms, slack ms, force (0/1), longest pace ms.
-- Returns the token, or false. Polls keep to a grid of one pace, however long each takes; a tick may be early by the slack.
-- Rules out: two pollers at once; more polls than the pace says when several beats tick.
local now, due, pace, slack = now_ms(), tonumber(redis.call('GET', KEYS[3]) or '0'), tonumber(ARGV[4]), tonumber(ARGV[5])
if due > now + math.max(pace, tonumber(ARGV[7] or ARGV[4])) + slack then due = now end -- the pace was slower
if ARGV[6] ~= '1' and now < due - slack then return false end
if is_held(KEYS[1]) then return false end
local token = new_token(KEYS[2], ARGV[3])
hold_lease(KEYS[1], token, ARGV[2])
redis.call('SET', KEYS[3], string.format('%d', math.max(due + pace, now + pace - slack)))
-- by which others know when polls see the next change; until this poll has read anything, the pause before it counts
redis.call('HSET', KEYS[4], 'polled_ms', now, 'pace_ms', ARGV[4], 'before_ms', redis.call('HGET', KEYS[4], 'pace_ms') or ARGV[4])
return token
