"""Our backend on a real vLLM, in vLLM's environment: what it answers to requests read from a file.

    env-run vllm python tests/vllm_backend.py ASKED.json ANSWERS.json

ASKED: ``{"folder": ..., "decoding": {...}, "calls": [[method, type of request, [arguments]], ...]}``.
"""

import json
import sys

import lemur.evaluation  # noqa: F401 - sets how threads wait before torch is loaded
from lm_eval.api.instance import Instance


def requests(kind: str, given: list) -> list[Instance]:
    """Arguments as JSON keeps them, as lm-eval hands them over."""
    return [
        Instance(kind, {}, tuple(arguments), number, metadata=("t", number, 1))
        for number, arguments in enumerate(given)
    ]


def main() -> None:
    """Each call's answers as ``[[number, entry], ...]``."""
    from lemur.core import contracts
    from lemur.evaluation.backends.vllm_backend import VllmBackend
    from lemur.evaluation.spec import Decoding

    with open(sys.argv[1]) as file:
        asked = json.load(file)
    backend = VllmBackend(asked["folder"], "fp32", Decoding(**asked["decoding"]), 1, "real")
    found = []
    for method, kind, given in asked["calls"]:
        made = getattr(backend, method)(requests(kind, given), range(len(given)), 0)
        found.append(contracts.plain(sorted(made, key=lambda pair: pair[0])))
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
