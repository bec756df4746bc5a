-- Take the leases of partitions that wait, and read the first batch of each. What the caller holds already comes first: a
-- partition in which nothing waits any more is given back in the same step that finds it empty.
-- KEYS: fence, ready, partitions that hold undecided events, registry version. ARGV: run id, nonce, lease ms, how many events
--   are enough, '1' to look at partitions with undecided events alone, the only partition to take or '', prefixes of leases,
--   batches and undecided events, then partition, token, partition, token, ... of what is held ('' for what is left alone).
-- Returns {registry version, how many more wait that nobody holds, {partition, token, batch or false, {object, undecided, ...}}, ...}.
-- Rules out: two matchers of one partition; a batch that comes between the last look and the release, and waits for nobody.
local mine, answer, events, more, seen = {}, {redis.call('GET', KEYS[4]) or '0', 0}, 0, 0, {}
local function take(partition, token)
  local text = redis.call('LINDEX', ARGV[8] .. partition, 0)
  local undecided = redis.call('HGETALL', ARGV[9] .. partition)
  if not text and (#undecided == 0 or ARGV[5] ~= '1') then return false end
  events = events + select(2, string.gsub(text or '', '\n', '\n'))
  answer[#answer + 1] = {partition, token, text, undecided}
  return true
end
for i = 10, #ARGV, 2 do
  local partition, token = ARGV[i], ARGV[i + 1]
  seen[partition] = true
  if token ~= '' and leads(ARGV[7] .. partition, token) and not take(partition, token) then
    redis.call('DEL', ARGV[7] .. partition)
  end
end
local function consider(partition)
  if seen[partition] or not string.match(partition, '^%d+$') then return end
  seen[partition] = true
  local lease = ARGV[7] .. partition
  if is_held(lease) then return end
  if #answer > 2 and events >= tonumber(ARGV[4]) then more = more + 1 return end
  local token = new_token(KEYS[1], ARGV[2])
  if take(partition, token) then hold_lease(lease, token, ARGV[3]) end
end
if ARGV[6] ~= '' then
  consider(ARGV[6])
  return answer
end
for _, partition in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do consider(partition) end
if ARGV[5] == '1' then
  for _, partition in ipairs(redis.call('SMEMBERS', KEYS[3])) do consider(partition) end
end
answer[2] = more
return answer
