"""--recipe and --set, for the command lines that resolve a recipe themselves."""

import argparse
from typing import Any

import yaml

from lemur.config import load, recipe
from lemur.config.values import Values
from lemur.core.errors import UserError


def add(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the two options."""
    parser.add_argument("--recipe", default="mini", help="a file of config/recipes, without .yaml")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a value: mixture.code_to_text=5, evaluate.benchmarks.gsm8k.limit=4",
    )


def resolved(args: argparse.Namespace) -> Values:
    """The recipe that the parsed options name, resolved; raises ``UserError``."""
    return recipe.resolve(args.recipe, dict(_pair(item) for item in args.set))


def _pair(item: str) -> tuple[str, Any]:
    key, equals, value = item.partition("=")
    if not equals or not key:
        raise UserError(f"--set {item}: write KEY=VALUE")
    try:
        return key, load.strict(value)
    except yaml.YAMLError:
        raise UserError(f"--set {item}: the value is not valid YAML") from None
