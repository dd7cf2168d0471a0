"""Look up revisions, files and hashes of the hub's sources; --write puts them under config/.

    workflow/env-run data python scripts/1_corpus/resolve.py --corpus lemur --write

Gated ones need a token that may read them in HF_TOKEN; HF_ENDPOINT names another hub.
"""

import argparse

from lemur.core.command import guarded
from lemur.download import resolve

arguments = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
arguments.add_argument("--corpus", help="the sources of config/corpora/<name>.yaml")
arguments.add_argument("--recipe", help="all that config/recipes/<name>.yaml downloads")
arguments.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these entries")
arguments.add_argument("--write", action="store_true", help="write what was found under config/")
arguments.add_argument("--update", action="store_true", help="take newer revisions than the pinned")


def run() -> None:
    args = arguments.parse_args()
    listed = resolve.chosen(args.corpus, args.recipe, args.only)
    resolve.run(listed, args.write, args.update)


if __name__ == "__main__":
    guarded(run)
