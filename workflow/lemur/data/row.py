"""The type of a record whose keys are its maker's: a line of a file, or a row of a table."""

from typing import Any

Row = dict[str, Any]
