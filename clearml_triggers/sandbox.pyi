from triggers.sandbox import *  # noqa: F403 (what its __all__ names)
