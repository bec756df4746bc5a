-- Sign a firing that a person took over, as it was read. KEYS: firing. ARGV: run id, signature, signature of its ClearML task or '',
--   its parts to come, signed, or '', field, value, field, value, ... (what the signatures are of). Returns 1, or 0 if it is gone or was changed: read again.
-- Rules out: a signature on what nobody has looked at; a firing that has just ended coming back as a stub.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 5, #ARGV, 2 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
redis.call('HSET', KEYS[1], 'signature', ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'task_signature', ARGV[3]) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'parts', ARGV[4]) end
return 1
