"""Polling's memory: how far each source was read, what was seen there, and the batches of events.

`sources` and `stages.poll` decide what is read, and when. The step that takes a batch is in `matching`.
"""
