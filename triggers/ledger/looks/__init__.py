"""What a stage reads first in its turn, in one trip: at rest nothing has changed, and the turn ends there.

Also what sync and notify remember of their last turns. What a turn does then is in `stages`.
"""
