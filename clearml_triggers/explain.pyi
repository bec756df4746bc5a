from triggers.explain import *  # noqa: F403 (what its __all__ names)
