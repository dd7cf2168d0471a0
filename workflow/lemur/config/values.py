"""The type of what YAML files, ``--config`` and ``--spec`` say, until a contract has read it."""

from typing import Any

# Plain JSON data: a schema of workflow/schemas has checked its keys, or is about to.
Values = dict[str, Any]
