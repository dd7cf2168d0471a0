"""Rules by name. Importing this package registers them all."""

from lemur.claims.rules import episodes, printed, runs  # noqa: F401
from lemur.claims.rules.registry import RULES, arguments_of, rule

__all__ = ["RULES", "arguments_of", "rule"]
