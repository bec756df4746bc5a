"""When schedules are due: calendars, and which of their times are granted. Pure; the clock is an argument."""

from triggers.rules.schedules.build import calendar_for

__all__ = ["calendar_for"]
