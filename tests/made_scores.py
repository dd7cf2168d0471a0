"""A small run's results on four kinds of benchmark, as the stages leave them."""

import trial_run
from lemur.evaluation import sample
from lemur.evaluation.sample import Sample

# What no file of text, and no page, may trip over.
HOSTILE = 'x = "\ud83d"  # half an emoji\n<script>alert(1)</script>\u2028---\n'
SPEC = {"recipe": "mini", "base": "smollm2", "hub": None, "description": "What it measures"}
HUB = {"dataset": "openai/gsm8k", "config": "main", "split": "test", "task": "gsm8k"}


def made(document, verdict, correct, **changed):
    """One sample; its score is 0 or 1 unless something else is said."""
    given = {
        "task": "gsm8k_cot", "document": document, "prompt": f"Q: {document}?", "target": "4",
        "responses": ("It is 4",), "choices": (), "answer": "4", "verdict": verdict, "detail": "",
        "correct": correct, "score": None if correct is None else float(correct), "finish": "stop",
        "tokens": 9, **changed,
    }  # fmt: skip
    return Sample(**given)


def bits(document, number):
    return made(document, "scored", None, score=number, responses=(), answer="", prompt="text")


SCORES = {
    "gsm8k": trial_run.score(
        "gsm8k", "chat", 0.5, metric="exact match", n=2, of=1319, shots=8, format="chatml",
        decoding={"max_new_tokens": 128, "temperature": 0}, model_sha256="0" * 64,
    ),
    "mmlu": trial_run.score("mmlu", "chat", 1.0, metric="accuracy", n=1, of=1, interval=[0.2, 1.0]),
    "humaneval": trial_run.score("humaneval", "chat", None, n=1, of=164),
    "bits_per_byte_code": trial_run.score(
        "bits_per_byte_code", "chat", 0.7, metric="bits per byte", higher_is_better=False, n=2, of=2
    ),
}  # fmt: skip
SAMPLES = {
    "gsm8k": [
        made("gsm8k/0", "passed", True),
        made("gsm8k/1", "failed", False, responses=(HOSTILE, "again"), answer="5", prompt=HOSTILE),
    ],
    "mmlu": [
        made("mmlu/0", "passed", True, choices=(" A", " B"), responses=(" B",), target="1", answer="")
    ],
    "humaneval": [made("HumanEval/0", "not judged", None, detail="no sandbox", answer="")],
    "bits_per_byte_code": [bits("a", 0.5), bits("b", 0.9)],
}  # fmt: skip


def write(folder):
    """(specs, scores.json files, samples.jsonl files) of the model `chat`, below ``folder``."""
    specs, scores, samples = [], [], []
    for name, score in SCORES.items():
        place = folder / "chat" / name
        hub = HUB if name == "gsm8k" else None
        specs.append({**SPEC, "model": "chat", "benchmark": name, "hub": hub})
        scores.append(trial_run.write_file(place / "scores.json", score))
        samples.append(place / "samples.jsonl")
        sample.write(samples[-1], SAMPLES[name])
    return specs, scores, samples
