"""What ClearML shows of a scheduler, and the ledger: kept the same. `triggers.stages.sync` runs it.

Pure: `compare`, `sections`, `saved`, `redis_lease`, `originals`. At the edge: `configure`, `keep`, `tell`.
"""
