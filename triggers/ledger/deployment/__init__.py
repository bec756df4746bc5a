"""Who is at work on this Redis: schedulers, the processes that serve them, workers, beat, and sessions that ended.

Clients without a ledger read it too. The calls that all of these may make are in `api_budget`.
"""
