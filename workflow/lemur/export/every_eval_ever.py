"""Scores and their instances as records of every-eval-ever, the shared database of evaluations.

Schema 0.3.0 (https://github.com/evaleval/every_eval_ever): a record is one model on one benchmark,
``data/<benchmark>/<developer>/<model>/<uuid>.json``, beside it ``<uuid>_samples.jsonl`` with a line a
problem. The project's package wants a newer Python than this project's oldest, so that records are
written here and held against the package's own schemas by a test.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.core import contracts
from lemur.core.files import sha256_of, write_json, write_text
from lemur.evaluation.sample import Sample
from lemur.evaluation.score import Score
from lemur.export.result import DEVELOPER, Result, record_uuid

SCHEMA = "0.3.0"
# When a run was made is not part of what it gives: the same results are the same record.
RETRIEVED = "0"
CONFIDENCE = 0.95
ORGANISATION = "Lemur reproduction pipeline"
# Metrics whose values lie between 0 and 1; of others no bound is known.
SHARES = ("pass@1", "exact match", "accuracy", "execution accuracy")

# What of a score has no place of its own in the schema.
MEASURED = ("n", "of", "verdicts", "responses", "beside", "otherwise_written", "not_judged")
ASKED = ("format", "shots", "precision", "computed", "prompt_sha256", "prompts_sha256")


def _strings(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that are there, as the text that the schema asks for."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in values.items()
        if value not in (None, "", {}, [])
    }


def _some(score: Score, keys: Sequence[str]) -> dict[str, str]:
    values = contracts.plain(score)
    return _strings({key: values.get(key) for key in keys})


def _source(result: Result) -> dict[str, Any]:
    """Where the problems are from: the hub's name of the data set where it has one."""
    count = str(result.score.of)
    if result.dataset is None:
        return {
            "dataset_name": result.benchmark,
            "source_type": "other",
            "additional_details": {"problems": count, "description": result.description},
        }
    return {
        "dataset_name": result.benchmark,
        "source_type": "hf_dataset",
        "hf_repo": result.dataset.dataset,
        **({"hf_split": result.dataset.split} if result.dataset.split else {}),
        "samples_number": result.score.of,
        "sample_ids": [f"{sample.task}/{sample.document}" for sample in result.samples],
        "additional_details": _strings({"config": result.dataset.config}),
    }


def _uncertainty(score: Score) -> dict[str, Any]:
    if score.interval is None:
        return {"num_samples": score.n}
    low, high = score.interval
    interval = {
        "lower": low,
        "upper": high,
        "confidence_level": CONFIDENCE,
        "method": score.interval_method or "not stated",
    }
    return {"num_samples": score.n, "confidence_interval": interval}


def record(result: Result, samples: Path | None, place: str) -> dict[str, Any]:
    """The record of a judged ``result``; ``samples``: the written instances, which lie at ``place``."""
    score, model = result.score, f"{DEVELOPER}/{result.name}"
    name, share = f"{result.benchmark}/{model}", score.metric in SHARES
    drawn = {
        "temperature": score.decoding.temperature,
        "top_p": score.decoding.top_p,
        "max_tokens": score.decoding.max_new_tokens,
    }
    made = {
        "schema_version": SCHEMA,
        "evaluation_id": f"{name}/{RETRIEVED}",
        "retrieved_timestamp": RETRIEVED,
        "source_metadata": {
            "source_name": f"Lemur, recipe {result.recipe}",
            "source_type": "evaluation_run",
            "source_organization_name": ORGANISATION,
            "evaluator_relationship": "third_party" if result.model == "start" else "first_party",
        },
        "eval_library": {
            "name": "lemur",
            "version": score.version or "unknown",
            "additional_details": {"built_on": "lm_eval"},
        },
        "model_info": {
            "name": result.name,
            "id": model,
            "developer": DEVELOPER,
            "additional_details": {
                "deployment_type": "self_deployed",
                "model_availability": "open_weights",
                **_strings({"base": result.base, "model_sha256": score.model_sha256}),
            },
        },
        "evaluation_results": [
            {
                "evaluation_result_id": f"{name}#{score.metric.replace(' ', '_')}",
                "evaluation_name": result.benchmark,
                "source_data": _source(result),
                "metric_config": {
                    "evaluation_description": result.description,
                    "metric_id": score.metric.replace(" ", "_"),
                    "metric_name": score.metric,
                    "metric_unit": "proportion" if share else score.metric,
                    "lower_is_better": not score.higher_is_better,
                    "score_type": "continuous",
                    "min_score": 0,
                    "max_score": 1 if share else "Infinity",
                },
                "score_details": {
                    "score": score.value,
                    "details": _some(score, MEASURED),
                    "uncertainty": _uncertainty(score),
                },
                "generation_config": {
                    "generation_args": {
                        k: value for k, value in drawn.items() if value is not None
                    },
                    "additional_details": _some(score, ASKED),
                },
            }
        ],
    }
    if samples:
        made["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": place,
            "hash_algorithm": "sha256",
            "checksum": sha256_of(samples),
            "total_rows": sum(sample.correct is not None for sample in result.samples),
        }
    return made


def instance(result: Result, sample: Sample) -> dict[str, Any]:
    """One judged problem."""
    model, score = f"{DEVELOPER}/{result.name}", result.score
    name = f"{result.benchmark}/{model}"
    hashed = hashlib.sha256((sample.prompt + sample.target).encode("utf-8", "surrogatepass"))
    read = [
        {
            "turn_idx": 0,
            "source": "output.raw",
            "extracted_value": sample.answer,
            "extraction_method": score.metric,
            "is_terminal": True,
        }
    ]
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{name}/{RETRIEVED}",
        "model_id": model,
        "evaluation_name": result.benchmark,
        "evaluation_result_id": f"{name}#{score.metric.replace(' ', '_')}",
        "sample_id": f"{sample.task}/{sample.document}",
        "sample_hash": hashed.hexdigest(),
        "interaction_type": "single_turn",
        "input": {
            "raw": sample.prompt,
            "reference": [sample.target],
            "choices": list(sample.choices) or None,
        },
        "output": {"raw": list(sample.responses)},
        "messages": None,
        "answer_attribution": read if sample.answer else [],
        "evaluation": {"score": sample.score, "is_correct": sample.correct},
        "metadata": _strings(
            {"verdict": sample.verdict, "detail": sample.detail, "finish": sample.finish}
        ),
    }


def write(result: Result, folder: Path) -> None:
    """Write the record below ``folder`` and its instances beside it; nothing where nothing was judged.

    A likelihood is neither right nor wrong, so that bits per byte have a record without instances.
    """
    if result.score.value is None:
        return
    name = record_uuid(result.recipe, result.model, result.benchmark)
    place = f"data/{result.benchmark}/{DEVELOPER}/{result.name}/{name}"
    judged = [sample for sample in result.samples if sample.correct is not None]
    path = folder / f"{place}_samples.jsonl"
    if judged:
        # In ASCII: what a model says may be no text that UTF-8 can hold.
        lines = [json.dumps(instance(result, sample), sort_keys=True) + "\n" for sample in judged]
        write_text(path, "".join(lines))
    made = record(result, path if judged else None, f"{place}_samples.jsonl")
    write_json(folder / f"{place}.json", made)
