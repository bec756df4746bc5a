from triggers.testing import *  # noqa: F403 (what its __all__ names)
