"""Looks at everything that a scheduler needs, one finding each, with what to do about it."""

from triggers.operate.doctor.findings import Finding
from triggers.operate.doctor.look import examine

__all__ = ["Finding", "examine"]
