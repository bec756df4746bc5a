"""The account of calls to the ClearML API: what all processes on this Redis have made, and what they were lent.

`rules.api_budget` decides how a month is shared out.
"""
