"""Make the starting model: a folder that transformers loads, from what was downloaded.

    prepare_model.py --spec @model.json --manifest resources/models/NAME/part-0-of-1/manifest.json \
        --out resources/models/NAME/DONE.json

The spec is an entry of config/models.yaml with its `name`. A GGUF is dequantised, random weights
are drawn (`--manifest none`), a hub snapshot (safetensors only) is taken as it is. The folder
`model/` beside DONE.json is loaded again and compared before DONE.json is written.
"""

from pathlib import Path

from lemur.core import command

NONE = Path("none")


def run(args, spec):
    from lemur.models.prepare import prepare

    manifest = None if args.manifest == NONE else args.manifest
    prepare(spec, manifest, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads("--manifest", "manifest.json of the download, or none", default=NONE)
    parser.writes("--out", "DONE.json; model/ goes beside it", files=command.and_beside("model"))
    command.main(parser, run)
