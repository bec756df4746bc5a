"""What happened, for people: the bounded history, alarms, and the audit log with its chain.

`notices` decides who is notified of it.
"""
