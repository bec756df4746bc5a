"""The console: web pages over what the verbs know. It decides nothing and stores nothing of its own.

What it shows comes from `operate`, `explain` and `configuration`; what it changes goes the way of the verbs, audit log
included. Asking ClearML is left to the pages whose verb would ask it.
"""
