-- Not fenced by the prelude: this is how a caller learns the run. KEYS: epoch. ARGV: complete (1: nothing was launched before)
-- Begins a new epoch when Redis is another run than the one that wrote last. Leases of the old run are refused by their run id.
-- Returns {run id, number, server_ms or '', complete, number of the epoch whose slots are known or '',
--   Redis' time in ms at which it began}.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local known = redis.call('HGET', KEYS[1], 'run_id')
if known ~= run then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'run_id', run, 'began_ms', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HINCRBY', KEYS[1], 'number', 1)
  redis.call('HDEL', KEYS[1], 'server_ms')
  if not known then
    redis.call('HSET', KEYS[1], 'complete', ARGV[1])
    if ARGV[1] == '1' then redis.call('HSET', KEYS[1], 'slots', 1) end
  end
end
local epoch = redis.call('HMGET', KEYS[1], 'number', 'server_ms', 'complete', 'slots', 'began_ms')
return {run, epoch[1], epoch[2] or '', epoch[3] or '0', epoch[4] or '', epoch[5] or '0'}
