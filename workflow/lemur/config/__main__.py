"""python -m lemur.config [--recipe NAME] [--set KEY=VALUE ...] [STAGE [...]]

Check a recipe and print it resolved, as JSON; with STAGE, print that stage's slice, which the
stage's script takes as --spec. STAGE is one of the functions of lemur.config.stages, with its
further arguments: `clean SOURCE`, `generate MODEL BENCHMARK`, `train pretrain`.
"""

import argparse
import inspect
import json

from lemur.config import arguments, stages
from lemur.core.command import guarded
from lemur.core.errors import UserError, nearest


def _run() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add(parser)
    parser.add_argument("stage", nargs="*")
    args = parser.parse_args()
    resolved = arguments.resolved(args)
    if args.stage:
        name, *rest = args.stage
        known = {
            key: value
            for key, value in vars(stages).items()
            if inspect.isfunction(value) and not key.startswith("_")
        }
        if name not in known or name in ("download", "downloaded_benchmarks"):
            raise UserError(f"no stage '{name}'{nearest(name, known)}")
        takes = list(inspect.signature(known[name]).parameters)[1:]
        if len(rest) != len(takes):
            raise UserError(f"stage '{name}' takes {' '.join(takes).upper() or 'nothing further'}")
        try:
            resolved = known[name](resolved, *rest)
        except (KeyError, StopIteration):
            raise UserError(f"stage '{name}': the recipe has no '{' '.join(rest)}'") from None
    print(json.dumps(resolved, indent=2, sort_keys=True, ensure_ascii=False))


guarded(_run)
