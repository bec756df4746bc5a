"""The ledger: what is remembered in Redis, and the atomic steps that change it."""

from triggers.ledger.ledger import Ledger, open_ledger
from triggers.ledger.store import Store, connect

__all__ = ["Ledger", "Store", "connect", "open_ledger"]
