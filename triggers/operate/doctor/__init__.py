"""Looks at everything that a scheduler needs, one finding each, with what to do about it.

Owns the checks, one file for each thing that is looked at. It changes nothing; how findings are printed is `cli`'s.
"""

from triggers.operate.doctor.findings import Finding
from triggers.operate.doctor.look import examine

__all__ = ["Finding", "examine"]
