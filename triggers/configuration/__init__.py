"""Triggers as YAML: the arguments of the Python API, read by the very code that reads those calls."""

from triggers.configuration.document import Document, check_as_new, load, name_of, parse
from triggers.configuration.writing import arguments_of, dump

__all__ = ["Document", "arguments_of", "check_as_new", "dump", "load", "name_of", "parse"]
