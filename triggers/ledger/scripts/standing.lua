-- Count firings by trigger. KEYS: lists of firing keys. ARGV: run id, how many characters of a key are its trigger's.
-- Returns for each list {characters, count, characters, count, ...}. Only reads; a script since a list may hold a
-- hundred thousand keys.
local answer = {}
for i, name in ipairs(KEYS) do
  local counts, flat = {}, {}
  for _, key in ipairs(redis.call('ZRANGE', name, 0, -1)) do
    local digest = string.sub(key, 1, tonumber(ARGV[2]))
    counts[digest] = (counts[digest] or 0) + 1
  end
  for digest, count in pairs(counts) do
    flat[#flat + 1] = digest
    flat[#flat + 1] = count
  end
  answer[i] = flat
end
return answer
