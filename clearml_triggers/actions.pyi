from triggers.actions import *  # noqa: F403 (what its __all__ names)
