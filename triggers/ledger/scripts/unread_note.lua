-- Note that triggers are not served, since somebody at work cannot read their entries. KEYS: unread triggers.
-- ARGV: run id, server time from which changes pass them by, trigger id, why, trigger id, why, ...
-- The earliest time is kept, that of the note is renewed.
-- Rules out: changes passing by that nobody knows have to be read again.
for i = 3, #ARGV, 2 do
  local known = string.match(redis.call('HGET', KEYS[1], ARGV[i]) or '', '^(%d+) ')
  local from = math.min(tonumber(ARGV[2]), tonumber(known or ARGV[2]))
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%d %d %s', from, now_ms(), ARGV[i + 1]))
end
return 1
