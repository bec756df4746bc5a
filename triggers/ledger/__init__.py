"""The ledger: what is remembered in Redis, and the atomic steps that change it.

Owns every key, every script and the Redis client; `transitions` has the states of a firing. It decides nothing about
triggers: what to grant, launch or skip comes from `rules`, `stages` and `actions`.
"""

from triggers.ledger.ledger import Ledger, open_ledger
from triggers.ledger.store import Store, connect

__all__ = ["Ledger", "Store", "connect", "open_ledger"]
