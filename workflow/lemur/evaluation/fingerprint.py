"""What bears on a response: recorded with the generations, compared before they are judged."""

import json
import math
from typing import TYPE_CHECKING, Any

from lemur.config.address import checked_url
from lemur.core.errors import UserError, nearest

if TYPE_CHECKING:  # a job that only copies answers checks its settings without loading lm-eval
    from lemur.evaluation.tasks import Bench

VERSION = 5  # of generation: raise it when the same settings would give other responses
NEEDED = ("benchmark", "model", "format", "decoding", "precision", "seed")


def _whole(least: int) -> Any:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(least: float, most: float = math.inf) -> Any:
    """Whether a number lies between the two; NaN does not."""

    def check(value: Any) -> bool:
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        return known and least <= value <= most and value != math.inf

    return check


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


# key: (whether a value is allowed, in words, whether null is, too)
_ALLOWED = {
    "benchmark": (_text, "a text", False),
    "task": (_text, "a text", True),
    "path": (_text, "a text", True),
    "model": (_text, "a text", False),
    "format": (_text, "a text", False),
    "precision": (_text, "a text", False),
    "limit": (_whole(1), "a whole number of at least 1", True),
    "shots": (_whole(0), "a whole number of at least 0", True),
    "batch": (_whole(1), "a whole number of at least 1", True),
    "seed": (_whole(0), "a whole number of at least 0", False),
    "decoding": (lambda value: isinstance(value, dict), "an object", False),
    "backend": (lambda value: isinstance(value, dict), "an object", True),
    "sandbox": (lambda value: isinstance(value, dict), "an object", True),
    "decoding.max_new_tokens": (_whole(1), "a whole number of at least 1", False),
    "decoding.temperature": (_number(0), "a number of at least 0", False),
    "decoding.top_p": (_number(1e-9, 1), "a number above 0 and at most 1", False),
    "decoding.samples": (_whole(1), "a whole number of at least 1", False),
    "decoding.stop": (_texts, "a list of texts", True),
    "backend.name": (_text, "a text", False),
    "backend.url": (_text, "a text", False),
    "backend.served": (_text, "a text", False),
    "sandbox.seconds": (_number(0.001), "a number above 0", False),
    "sandbox.memory_mb": (_whole(1), "a whole number of at least 1", False),
}


def check(spec: Any) -> dict[str, Any]:
    """The spec, or a UserError that names what is missing or of another type."""
    if not isinstance(spec, dict):
        raise UserError(f"--spec: must be an object, it is {type(spec).__name__}")
    for name in NEEDED:
        if name not in spec:
            raise UserError(f"--spec: '{name}' is missing{nearest(name, spec)}")
    for key, (allowed, words, or_null) in _ALLOWED.items():
        part, _, name = key.rpartition(".")
        values = (spec.get(part) or {}) if part else spec
        if name not in values or (or_null and values[name] is None):
            continue
        if not allowed(values[name]):
            either = f"{words}, or null" if or_null else words
            raise UserError(f"--spec: '{key}' must be {either}, not {shown(values[name])}")
    backend = spec.get("backend") or {}
    if backend.get("name") == "server":
        for name in ("url", "served"):
            if name not in backend:
                raise UserError(f"--spec: 'backend.{name}' is missing: a server needs it")
        checked_url(backend["url"], "--spec: backend.url")
    if not spec.get("available", True):
        raise UserError(f"benchmark '{spec['benchmark']}' cannot run: {spec.get('reason')}")
    return spec


def shown(value: Any) -> str:
    """A value as JSON has it, its beginning where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def collect(spec: dict[str, Any], bench: "Bench") -> dict[str, Any]:
    """Settings that a judge can know without the model. ``limit`` and ``batch`` are not among
    them: a larger limit adds responses, it does not change them."""
    rolling = any(task.OUTPUT_TYPE == "loglikelihood_rolling" for task in bench.tasks.values())
    return {
        "benchmark": spec["benchmark"],
        "model": spec["model"],
        "format": spec["format"],
        "shots": int(spec.get("shots") or 0),
        "decoding": {} if rolling else spec["decoding"],
        "precision": spec["precision"],
        "seed": spec["seed"],
        "task": {name: str(task.VERSION) for name, task in bench.tasks.items()}
        if len(bench.tasks) == 1
        else spec.get("task"),
        "data_sha256": bench.source.sha256,
        "generation": VERSION,
        **({} if bench.begin else {"begin": False}),
        **_backend(spec),
        **_computed(spec),
    }


def _backend(spec: dict[str, Any]) -> dict[str, Any]:
    """The backend's name, where it is not the usual one; a server may move to another address."""
    given = spec.get("backend") or {}
    return {"backend": given["name"]} if given.get("name", "transformers") != "transformers" else {}


def _computed(spec: dict[str, Any]) -> dict[str, str]:
    """What this machine computes in, where that is not the precision that is asked for. It depends on
    the processor: whoever judges the generations elsewhere passes over it (``store.refuse_other``)."""
    given = spec.get("backend") or {}
    if spec["precision"] != "bf16" or given.get("name", "transformers") != "transformers":
        return {}
    import torch

    from lemur.inference.precision import choose_device, choose_dtype

    dtype = choose_dtype(spec["precision"], choose_device(spec.get("device")))
    return {"computed": "float32"} if dtype == torch.float32 else {}
