"""The mixture: tokens of each source as planned and as realised."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.figures.inputs import write_csv
from lemur.figures.loss import _si
from lemur.figures.style import Style, canvas, colours, save
from lemur.mixture.planned import Plan
from lemur.mixture.realised import Realised

_KINDS = ("code", "text")


def _ratio(value: float | None) -> str:
    return "undefined" if value is None else f"{float(value):.3g}"


def write(spec: Mapping[str, Any], plan_path: Path, realised_path: Path, out: Path) -> None:
    """Bars: realised tokens; ticks: planned tokens; one row a source, code above text."""
    style, chosen = Style.parse(spec), colours(spec, list(_KINDS))
    plan, realised = read_file(Plan, plan_path), read_file(Realised, realised_path)
    planned = {source.name: source.tokens for source in plan.sources}
    kinds = {source.name: source.kind for source in plan.sources}
    came = {source.name: source.tokens for source in realised.sources}
    for name in came.keys() - planned.keys():
        raise UserError(f"{realised_path}: source '{name}' is not in {plan_path}")
    names = sorted(planned, key=lambda name: (_KINDS.index(kinds[name]), -planned[name], name))
    figure = canvas(style, 0.26 * len(names) + 1.25)
    axes = figure.add_subplot()
    total = sum(came.values()) or 1
    for row, name in enumerate(names):
        colour = chosen[kinds[name]][0]
        axes.barh(row, came.get(name, 0), height=0.62, color=colour, linewidth=0)
        axes.plot([planned[name]] * 2, [row - 0.42, row + 0.42], color=style.ink[0], linewidth=1.6)
        axes.annotate(
            f"{100 * came.get(name, 0) / total:.1f}%",
            (max(planned[name], came.get(name, 0)), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.font_size - 1,
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    most = max([1, *planned.values(), *came.values()])
    axes.set_xlim(0, most * 1.25)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(_si)
    axes.set_xlabel("tokens")
    axes.grid(visible=False, axis="y")
    for kind in _KINDS:
        axes.barh([0], [0], color=chosen[kind][0], label=f"{kind}, realised")
    axes.plot([], [], color=style.ink[0], label="planned", marker="|", linestyle="none")
    figure.legend(loc="outside upper left", ncols=3, handlelength=1, columnspacing=1.2)
    ratios = (
        f"code:text {_ratio(plan.code_to_text)}:1 planned, "
        f"{_ratio(realised.code_to_text)}:1 realised"
    )
    described = "; ".join(
        f"{name} ({kinds[name]}): planned {planned[name]}, realised {came.get(name, 0)}"
        for name in names
    )
    save(figure, out, style, f"Mixture by tokens: {ratios}", f"{described}.", chosen)
    rows = [
        [name, kinds[name], planned[name], came.get(name, 0), came.get(name, 0) - planned[name]]
        for name in names
    ]
    write_csv(out, ["source", "kind", "planned", "realised", "difference"], rows)
