-- Remember how far the clock that stamps changes is ahead of the HTTP Date of the server's answers.
-- KEYS: epoch. ARGV: run id, ms (negative: behind). Returns 1.
-- Rules out: a cursor that follows a proxy's clock past changes that are stamped by another.
redis.call('HSET', KEYS[1], 'stamps_ms', ARGV[2])
return 1
