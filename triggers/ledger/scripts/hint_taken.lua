-- The hint of a stage was taken: what comes from now on needs another. KEYS: hinted. ARGV: run id, stage.
-- Call it before the look at what waits. Rules out: work that came after the look, and whose hint was taken for that one.
return redis.call('HDEL', KEYS[1], ARGV[2])
