"""Lists of objects: which pass, in which order, which page, which fields.

Owns how a request for a list is read and answered. Where objects are kept is `store`'s; what a call changes is
`services`'.
What was not recorded, and is not to be relied on: the order of ties, the order without `order_by`.
"""

from .query import Query
from .select import select

__all__ = ["Query", "select"]
