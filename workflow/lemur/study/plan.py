"""What a study is going to do, as lines that a person reads before the job table."""

from lemur.cost.summary import duration
from lemur.study.cells import Study
from lemur.study.design import share_name
from lemur.study.tokens import MAIN


def lines(study: Study) -> list[str]:
    """The question, the cells, the hours of the whole, and what a budget cut."""
    design, cost = study.design, study.cost
    rates = [
        f"{base.name} {base.tokens_per_second:,.0f} (measured)"
        if base.tokens_per_second
        else f"{base.name} as the recipe's device is assumed"
        for base in design.bases
    ]
    main = {cell.base: cell.tokens for cell in study.cells if cell.share is not None and cell.arm == MAIN}  # fmt: skip
    trained = {base.name: base.pretraining.tokens for base in design.bases if base.pretraining}
    rows = [
        ("question", design.description),
        ("shares of code", ", ".join(map(share_name, design.shares))),
        ("seeds", ", ".join(map(str, design.seeds))),
        ("tokens a cell", ", ".join(f"{name} {tokens:,}" for name, tokens in main.items())),
        *(
            [("tokens a base", ", ".join(f"{name} {tokens:,}" for name, tokens in trained.items()))]
            if trained
            else []
        ),
        ("controls", ", ".join(arm.name for arm in design.arms) or "none"),
        ("measures", ", ".join(f"{name} ({'primary' if name == design.primary else key})" for name, key in design.measures.items())),
        *(("missing", f"{name}: {why}") for name, why in design.missing.items()),
        ("constant", "corpus, tokens, steps, batch, context, schedule, evaluation documents; a fresh optimiser"),
        ("tokens/s", ", ".join(rates)),
        ("hours", f"{duration(cost.total)} for {cost.models} models and {cost.tokens:,} tokens, one after the other ("
                  + ", ".join(f"{name} {duration(hours)}" for name, hours in cost.hours.items()) + ")"),
        *(("cut", words) for words in study.cut),
    ]  # fmt: skip
    width = max(len(label) for label, _ in rows)
    head = f"plan of study '{design.name}' (estimates; nothing has run)"
    return [head, *(f"  {label:<{width}}  {text}" for label, text in rows)]
