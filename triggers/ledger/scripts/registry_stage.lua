-- Put some entries of a registry that is written in parts beside the one in use. KEYS: staged.
-- ARGV: run id, ms after which it is forgotten, trigger id, entry, trigger id, entry, ...
-- Rules out: half a registry that stays without limit because its writer died.
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
