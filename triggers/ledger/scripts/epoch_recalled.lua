-- Say that pauses were compared with the saved state. KEYS: epoch. ARGV: run id, epoch number. Returns 1.
-- Rules out: two comparisons in one epoch, of which the second takes back what a person has resumed since.
redis.call('HSET', KEYS[1], 'recalled', ARGV[2])
return 1
