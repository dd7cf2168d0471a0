"""Model cards: README.md of every model folder, generated, with no date and no machine in it."""

from typing import Any

from lemur.models.result import TrainingResult

Facts = dict[str, Any]
# Names that the hub's metadata knows; any other licence is written as "other".
HUB_LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "Llama-2 Community License": "llama2"}


def _front(licence: str) -> list[str]:
    lines = ["---", f"license: {HUB_LICENCES.get(licence, 'other')}"]
    if licence not in HUB_LICENCES:
        lines.append(f'license_name: "{licence}"')
    return [*lines, "library_name: transformers", "pipeline_tag: text-generation", "---", ""]


def start_card(spec: Facts) -> str:
    """Card of a starting model from its entry in config/models.yaml."""
    lines = [
        *_front(spec["licence"]),
        f"# {spec['name']}",
        "",
        f"{spec.get('description', spec['name'])}.",
        "",
        f"- kind: {spec.get('kind', 'base')}",
        f"- weights stored in: {spec.get('dtype', 'bfloat16')}",
        f"- licence: {spec['licence']}",
    ]
    for key in ("licence_note", "citation", "reason"):
        if spec.get(key):
            lines.append(f"- {key.replace('_', ' ')}: {spec[key]}")
    return "\n".join([*lines, ""])


def _computed(precision: str, computed: str) -> str:
    return "" if computed == precision else f", computed in {computed} (a CPU without bfloat16)"


def trained_card(spec: Facts, base: Facts, data: Facts | None, result: TrainingResult) -> str:
    """Card of a trained model.

    ``spec``: the training spec; ``base``: DONE.json of the model it started from; ``data``:
    realised.json of its tokens where there is one; ``result``: of its own DONE.json.
    """
    licence = base.get("licence", "unknown")
    name = f"{spec['recipe']}-{spec['stage']}"
    how = {
        "pretrain": "Continued pretraining on a mixture of code and text.",
        "sft": "Supervised fine-tuning in ChatML; the loss counts assistant tokens only.",
    }[spec["stage"]]
    optimizer = spec["optimizer"]
    lines = [
        *_front(licence),
        f"# {name}",
        "",
        how,
        "",
        "## Start",
        "",
        f"- {base.get('description', base.get('model', 'a model folder without DONE.json'))}",
        f"- kind: {base.get('kind', 'unknown')}",
        "",
        "## Training",
        "",
        f"- tokens: {result.tokens:,} in {result.steps:,} steps of "
        f"{spec['global_batch_tokens']:,}; context {spec['context']:,}; documents packed, no "
        "attention across them",
        f"- {optimizer['name']}: peak rate {optimizer['learning_rate']:g}, betas "
        f"{optimizer['betas'][0]:g} and {optimizer['betas'][1]:g}, weight decay "
        f"{optimizer['weight_decay']:g}, clip {optimizer['clip']:g}; schedule "
        f"{spec['schedule']['name']}, warm-up {_warmup(spec['schedule'])}",
        *_adapters(spec.get("lora"), result),
        f"- precision: {spec['precision']} with float32 master weights"
        f"{_computed(spec['precision'], result.computed)}; engine: {result.engine}; "
        f"seed {spec['seed']}",
        f"- loss of the last step: {result.final_loss:.4f} nats a token",
        "",
        "## Data",
        "",
        *_data(data),
        "",
        "## Licence",
        "",
        f"{licence}, inherited from the start. The licences of the training data stand in the "
        "project's config/sources.yaml.",
        "",
        *_generated(spec.get("generated_data", {})),
    ]
    return "\n".join(lines)


def _warmup(schedule: Facts) -> str:
    for key, unit in (("warmup_tokens", "tokens"), ("warmup_steps", "steps")):
        if schedule.get(key) is not None:
            return f"{schedule[key]:,} {unit}"
    return f"{schedule['warmup']:g} of the steps"


def _generated(sources: Facts) -> list[str]:
    """Data that models wrote, whose makers' terms may bind whoever uses this model."""
    if not sources:
        return []
    lines = ["Written by language models:", ""]
    for name, facts in sorted(sources.items()):
        terms = f"; {facts['terms']}" if "terms" in facts else ""
        lines.append(f"- {name}: by {facts['generated_by']} ({facts['licence']}{terms})")
    return [*lines, ""]


def _adapters(lora: Facts | None, result: TrainingResult) -> list[str]:
    """How much was trained, where it was not everything; and what was skipped."""
    lines = []
    if lora:
        lines.append(
            f"- LoRA, merged into the weights: rank {lora['rank']}, alpha {lora['alpha']:g}, dropout "
            f"{lora.get('dropout', 0.0):g}, on {lora.get('targets', 'all-linear')}; "
            f"{result.trained_parameters:,} of {result.parameters:,} parameters trained"
        )
    if result.skipped_steps:
        lines.append(f"- skipped steps (loss or gradient not finite): {result.skipped_steps:,}")
    return lines


def _data(data: Facts | None) -> list[str]:
    if not data or not data.get("sources"):
        return ["Not described: realised.json did not stand beside the index."]
    sources = data["sources"]
    if isinstance(sources, dict):
        sources = [{"name": name, **facts} for name, facts in sorted(sources.items())]
    rows = ["| source | kind | tokens |", "|---|---|---|"]
    for source in sources:
        tokens = source.get("tokens", source.get("trained_tokens"))
        shown = f"{tokens:,}" if isinstance(tokens, int) else "not counted"
        rows.append(f"| {source['name']} | {source.get('kind', 'conversations')} | {shown} |")
    return rows
