-- Add a line to the audit log, chained to the one before it. KEYS: audit, head.
-- ARGV: run id, sequence and hash of the line the caller takes for the last, hash of the new line, length, field, value, ...
-- Returns the id of the entry, or {sequence, hash} of the line that is the last: chain to that one.
-- Rules out: two lines chained to one; a line without its place in the chain.
local last = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local seq, hash = last[1] or '0', last[2] or ''
if seq ~= ARGV[2] or hash ~= ARGV[3] then return {seq, hash} end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', unpack(ARGV, 6))
redis.call('HSET', KEYS[2], 'seq', string.format('%d', tonumber(seq) + 1), 'hash', ARGV[4])
return id
