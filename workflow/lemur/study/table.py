"""A study's results as a table in Markdown."""

from lemur.study.analysis_spec import AnalysisSpec
from lemur.study.findings import Analysis, Contrast

HEAD = "| code | bits per byte | against {reference:.3f} | p (Holm) | against the base | smallest effect seen |\n|---|---|---|---|---|---|"


def table(spec: AnalysisSpec, found: Analysis) -> str:
    """One table a base and measure: each share with its contrasts; then law and best share."""
    lines = [f"# Study {found.study}", "", found.description, "", f"**{found.verdict}**", ""]  # fmt: skip
    for base, part in found.bases.items():
        for measure, fit in part.measures.items():
            note = ", the primary measure" if measure == found.primary else ""
            lines += [f"## {base}: {measure}{note} ({fit.documents} documents, {fit.bytes:,} bytes)", ""]  # fmt: skip
            lines += [HEAD.format(reference=found.reference)]
            against, base_less = fit.against_reference, fit.against_base
            for number, share in enumerate(found.shares):
                same = share == found.reference
                lines.append(
                    f"| {share:.3f} | {fit.values[number]:.4f} | "
                    f"{'-' if same else _interval(against, number)} | "
                    f"{'-' if same else format(against.holm[number], '.2g')} | "
                    f"{_interval(base_less, number)} | "
                    f"{'-' if same else format(against.smallest[number], '.3f')} |"
                )
            law, best = fit.law, fit.law.best
            edge = ", at the edge of the shares tried" if best.edge is not None else ""
            errors = ", ".join(f"{name} {error:.4f}" for name, error in law.left_out_error.items())  # fmt: skip
            lines += ["", f"The base itself: {fit.base:.4f}. Law: {law.name} ({law.source}); error on a share left out: {errors}. Best share {best.share:.3f} ({best.low:.3f} to {best.high:.3f}{edge})."]  # fmt: skip
            if (over := fit.over_tokens) and over.name:
                lines += [f"{over.name} ({over.source}), scored after {', '.join(f'{count:,}' for count in over.tokens)} tokens: error on a number of tokens left out {over.left_out_error:.4f}."]  # fmt: skip
            lines += [
                f"Control {row.arm} against the main cell, at {share:.3f}: {_interval(row.against_main, number)}."
                for row in fit.controls
                for number, share in enumerate(row.shares)
            ]
            lines.append("")
    if found.over_sizes:
        errors = ", ".join(f"{name} {fit.left_out_error:.4f}" for name, fit in found.over_sizes.measures.items())  # fmt: skip
        lines += [f"{found.over_sizes.name} ({found.over_sizes.source}), error on a size left out: {errors}.", ""]  # fmt: skip
    seeds = found.seeds
    counts = ", ".join(f"{name} {part.seeds}" for name, part in found.bases.items())
    lines += [
        f"Differences are of so many seeds: {counts}; with intervals of {spec.statistics.confidence:.0%} over seeds and documents"
        + ("" if seeds > 1 else " (one seed: over documents alone)")
        + f"; less than {found.equal:g} bits per byte counts as equal."
    ]
    return "\n".join(lines) + "\n"


def _interval(found: Contrast, number: int) -> str:
    return f"{found.mean[number]:+.4f} ({found.low[number]:+.4f} to {found.high[number]:+.4f})"  # fmt: skip
