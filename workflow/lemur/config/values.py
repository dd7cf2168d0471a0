"""The type of what YAML files and ``--config`` say, between the file and the contract that reads it."""

from typing import Any

# Plain JSON data: a schema of workflow/schemas has checked its keys, or is about to.
Values = dict[str, Any]
