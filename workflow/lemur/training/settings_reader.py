"""Settings out of nested mappings, each checked as it is taken and named as the recipe names it."""

import math
from typing import Any

from lemur.core.errors import UserError, nearest


class Reader:
    """Takes settings out of nested mappings; what is missing, left over or wrong is named."""

    def __init__(self, values: Any, stage: str, path: str = ""):
        self.values, self.stage, self.path, self.read = values, stage, path, set()
        if not isinstance(values, dict):
            raise UserError(f"{stage}.{path or 'spec.'}"[:-1] + f": {values!r} is not a mapping")

    def _where(self, key: str) -> str:
        return f"{self.stage}.{self.path}{key}"

    def take(self, key: str, kind: type, low: float | None = None, default: Any = ...) -> Any:
        self.read.add(key)
        if key not in self.values:
            if default is ...:
                raise UserError(f"{self._where(key)} is missing")
            return default
        value = self.values[key]
        if value is None and default is None:
            return None
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise UserError(f"{self._where(key)}: {value!r} is not of type {kind.__name__}")
        if kind is float and not math.isfinite(value):
            raise UserError(f"{self._where(key)}: {value} is not a finite number")
        if low is not None and value < low:
            raise UserError(f"{self._where(key)}: {value} is below {low}")
        return value

    def one_of(self, key: str, allowed: tuple[str, ...], default: Any = ...) -> str:
        value = self.take(key, str, default=default)
        if value not in allowed:
            raise UserError(f"{self._where(key)}: '{value}'{nearest(value, allowed)}")
        return value

    def inside(self, key: str) -> "Reader":
        self.read.add(key)
        if key not in self.values:
            raise UserError(f"{self._where(key)} is missing")
        return Reader(self.values[key], self.stage, f"{self.path}{key}.")

    def finish(self) -> None:
        for key in self.values:
            if key not in self.read:
                raise UserError(f"{self._where(key)}: unknown key{nearest(key, self.read)}")
