"""What a trigger does when it fires: one file an action, and the protocol by which ClearML tasks are launched.

Owns how an action is declared, written, shown and carried out. Taking, admitting and retrying firings is `stages`'.
"""
