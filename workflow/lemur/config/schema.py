"""JSON Schema validation whose errors are one line a person can act on."""

import functools
import json
from typing import Any

import jsonschema

from lemur.core.errors import UserError, nearest
from lemur.core.provenance import ROOT


@functools.cache
def _validator(name: str, *keys: str) -> jsonschema.Draft202012Validator:
    path = ROOT / "workflow" / "schemas" / f"{name}.schema.json"
    loaded = json.loads(path.read_text(encoding="utf-8"))
    for key in keys:
        loaded = loaded["properties"][key]
    # That the schema itself is one is a test's matter: it would cost every start a third of a second.
    return jsonschema.Draft202012Validator(loaded)


# What a length counts, and what it should be.
_LENGTHS = {
    "minLength": ("characters", "at least {} are needed"),
    "maxLength": ("characters", "at most {} are allowed"),
    "minItems": ("entries", "at least {} are needed"),
    "maxItems": ("entries", "at most {} are allowed"),
    "minProperties": ("entries", "at least {} are needed"),
}


def texts(name: str) -> set[str]:
    """Keys of a schema's own level whose value is text."""
    properties = _validator(name).schema["properties"]
    return {key for key, rule in properties.items() if rule.get("type") == "string"}


def check(value: Any, name: str, where: str, *keys: str) -> None:
    """Validate ``value`` against workflow/schemas/``name``.schema.json, or what that says of the value
    below ``keys``.

    Raises UserError with the place (file and dotted key), what is wrong and what is allowed.
    """
    errors = sorted(
        _validator(name, *keys).iter_errors(value), key=lambda error: list(map(str, error.path))
    )
    if not errors:
        return
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise UserError(f"{where}: {_line(errors[0])}{more}")


def _alternative(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """oneOf, anyOf: the first complaint of the alternative whose keys the value shares most; among
    equals, of one that misses no required key.

    A value of another type than every alternative keeps the error as it is.
    """
    if not isinstance(error.instance, dict):
        return error
    alternatives: dict[int, list[jsonschema.ValidationError]] = {}
    for inner in error.context:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)

    def fit(number: int) -> tuple[int, int, bool]:
        known = error.validator_value[number].get("properties", {})
        whole = all(inner.validator != "required" for inner in alternatives[number])
        return len(known.keys() & error.instance.keys()), -len(alternatives[number]), whole

    nearest_one = alternatives[max(alternatives, key=fit)][0]
    return _alternative(nearest_one) if nearest_one.context else nearest_one


def _line(error: jsonschema.ValidationError) -> str:
    if error.context:
        error = _alternative(error)
    key = ".".join(map(str, error.absolute_path)) or "the file"
    rule, limit, value = error.validator, error.validator_value, error.instance
    about = error.schema.get("description") if isinstance(error.schema, dict) else None
    about = f" ({about})" if about else ""
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = next(name for name in value if name not in known)
        inside = "" if key == "the file" else f"{key}."
        return f"{inside}{extra}: unknown key{nearest(extra, known)}"
    if rule == "required":
        missing = next(name for name in limit if name not in value)
        inside = "" if key == "the file" else f"{key}."
        return f"{inside}{missing}: missing"
    if rule == "enum":
        return f"{key}: {value!r} is not allowed{nearest(str(value), limit)}{about}"
    if rule in ("minimum", "exclusiveMinimum"):
        sign = "at least" if rule == "minimum" else "more than"
        return f"{key}: {value} is too small: {sign} {limit} is allowed{about}"
    if rule in ("maximum", "exclusiveMaximum"):
        sign = "at most" if rule == "maximum" else "less than"
        return f"{key}: {value} is too large: {sign} {limit} is allowed{about}"
    if rule in _LENGTHS:
        unit, limits = _LENGTHS[rule]
        return f"{key}: {value!r} has {len(value)} {unit}: {limits.format(limit)}{about}"
    if rule == "type":
        wanted = " or ".join(limit) if isinstance(limit, list) else limit
        hint = ""
        if wanted in ("number", "integer") and isinstance(value, str):
            hint = "; YAML reads 90e9 and 4e-5 as text: write 90_000_000_000 and 0.00004"
        return f"{key}: {value!r} is not of type {wanted}{hint}{about}"
    return f"{key}: {error.message}{about}"
