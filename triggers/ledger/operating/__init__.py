"""What people do by hand (fire, skip, retry, drop, mute), and what is kept aside until they decide on it.

The verbs are in `operate`. What they leave behind for others to read is in `history`.
"""
