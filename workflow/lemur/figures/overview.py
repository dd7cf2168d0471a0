"""The paper's training overview: base model, continued pretraining, instruction tuning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from lemur.core.errors import UserError
from lemur.figures.inputs import write_csv
from lemur.figures.style import Style, canvas, colours, save

_KEYS = ("base", "pretrained", "chat", "tokens", "code_to_text", "code", "text", "sft", "examples")


def _box(
    axes: Axes, style: Style, y: float, text: str, detail: str, colour: str, height: float = 1.0
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (0.6, y),
            8.8,
            height,
            boxstyle="round,pad=0,rounding_size=0.18",
            facecolor=style.paper[0],
            edgecolor=colour,
            linewidth=1.4,
        )
    )
    middle = y + height / 2
    if not detail:
        axes.text(5, middle, text, ha="center", va="center", weight="bold")
        return
    axes.text(5, y + height - 0.32, text, ha="center", va="center", weight="bold")
    axes.text(5, y + 0.3, detail, ha="center", va="center", fontsize=style.font_size - 1)


def _arrow(axes: Axes, style: Style, top: float, bottom: float) -> None:
    axes.annotate(
        "",
        xy=(5, bottom),
        xytext=(5, top),
        arrowprops={"arrowstyle": "-|>", "color": style.muted[0], "linewidth": 1.4},
    )


def write(spec: Mapping[str, Any], out: Path) -> None:
    """Draw the chain of models; the bar's parts are to scale with code:text."""
    facts = spec.get("facts", {})
    for key in _KEYS:
        if key not in facts:
            raise UserError(f"--spec: facts: no '{key}'")
    style, chosen = Style.parse(spec), colours(spec, ["code", "text", "model"])
    ratio = float(facts["code_to_text"])
    if ratio <= 0:
        raise UserError(f"--spec: facts.code_to_text: {ratio:g} is not above 0")
    figure = canvas(style, style.width * 1.12)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 11.2)
    model, edge = chosen["model"][0], style.muted[0]
    _box(axes, style, 10.1, facts["base"], "", model)
    _arrow(axes, style, 10.05, 9.35)
    _box(axes, style, 5.65, "", "", edge, height=3.65)
    axes.text(5, 8.95, "Continued pretraining", ha="center", va="center", weight="bold")
    axes.text(5, 8.45, facts["tokens"], ha="center", va="center")
    left, width = 1.0, 8.0
    cut = width * ratio / (ratio + 1)
    axes.add_patch(Rectangle((left, 7.45), cut - 0.03, 0.55, color=chosen["code"][0], linewidth=0))
    axes.add_patch(
        Rectangle(
            (left + cut + 0.03, 7.45),
            width - cut - 0.03,
            0.55,
            color=chosen["text"][0],
            linewidth=0,
        )
    )
    small = style.font_size - 1
    axes.text(left, 7.1, f"code {ratio:g}", ha="left", va="center", fontsize=small)
    axes.text(left + width, 7.1, "text 1", ha="right", va="center", fontsize=small)
    axes.text(left, 6.5, f"code: {facts['code']}", ha="left", va="center", fontsize=small)
    axes.text(left, 6.0, f"text: {facts['text']}", ha="left", va="center", fontsize=small)
    _arrow(axes, style, 5.6, 4.9)
    _box(axes, style, 3.85, facts["pretrained"], "", model)
    _arrow(axes, style, 3.8, 3.1)
    _box(axes, style, 1.85, f"Instruction tuning: {facts['examples']}", facts["sft"], edge, 1.2)
    _arrow(axes, style, 1.8, 1.1)
    _box(axes, style, 0.05, facts["chat"], "", model)
    described = (
        f"{facts['base']}, continued on {facts['tokens']} of code and text at {ratio:g} to 1 "
        f"(code: {facts['code']}; text: {facts['text']}), gives {facts['pretrained']}; instruction "
        f"tuning on {facts['examples']} ({facts['sft']}) gives {facts['chat']}."
    )
    title = "How the paper trains Lemur"
    save(figure, out, style, title, described, chosen)
    write_csv(out, ["setting", "value"], [[key, facts[key]] for key in _KEYS])
