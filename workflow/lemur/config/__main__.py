"""python -m lemur.config [--recipe NAME] [--set KEY=VALUE ...] [STAGE [...]]

Check a recipe and print it resolved, as JSON; with STAGE, print that stage's slice, which the
stage's script takes as --spec. STAGE is one of the functions of lemur.config.stages, with its
further arguments: `clean SOURCE`, `generate MODEL BENCHMARK`, `train pretrain`.
"""

import argparse
import inspect
import json

import yaml

from lemur.command import guarded
from lemur.config import recipe, stages
from lemur.errors import UserError, nearest


def _run() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="mini")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("stage", nargs="*")
    args = parser.parse_args()
    values = {}
    for item in args.set:
        key, equals, value = item.partition("=")
        if not equals:
            raise UserError(f"--set {item}: write KEY=VALUE")
        values[key] = yaml.safe_load(value)
    resolved = recipe.resolve(args.recipe, values)
    if args.stage:
        name, *rest = args.stage
        known = {
            key: value
            for key, value in vars(stages).items()
            if inspect.isfunction(value) and not key.startswith("_")
        }
        if name not in known or name in ("download", "downloaded_benchmarks"):
            raise UserError(f"no stage '{name}'{nearest(name, known)}")
        resolved = known[name](resolved, *rest)
    print(json.dumps(resolved, indent=2, sort_keys=True, ensure_ascii=False))


guarded(_run)
