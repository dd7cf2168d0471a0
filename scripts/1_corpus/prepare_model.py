"""Make the starting model: a folder that transformers loads, from what was downloaded.

    prepare_model.py --spec @model.json --manifest resources/models/NAME/part-0-of-1/manifest.json \
        --out resources/models/NAME/DONE.json

The spec is an entry of config/models.yaml with its `name`. A GGUF is dequantised, random weights
are drawn (`--manifest none`), a hub snapshot (safetensors only) is taken as it is. The folder
`model/` beside DONE.json is loaded again and compared before DONE.json is written.
"""

from pathlib import Path

from lemur.core import command


def run(args, spec):
    from lemur.models.prepare import prepare

    prepare(spec, _manifest(args), args.out)


def _manifest(args):
    return None if args.manifest == "none" else Path(args.manifest)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--manifest", default="none", help="manifest.json of the download, or none")
    parser.add_argument("--out", type=Path, required=True, help="DONE.json; model/ goes beside it")
    command.main(
        parser,
        run,
        inputs=lambda a: [_manifest(a)],
        outputs=lambda a: [a.out, a.out.parent / "model"],
    )
