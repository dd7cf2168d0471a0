"""How many tokens each base and each cell of a study is trained on, in whole batches."""

from fractions import Fraction

from lemur.study.design import Arm, Base, Design

MAIN = "main"  # the arm of the cells that the study is about


def arms(design: Design) -> tuple[Arm, ...]:
    """The main cells and the controls."""
    return (Arm(MAIN, design.shares), *design.arms)


def whole_batches(tokens: Fraction | int, batch: int) -> int:
    """The nearest number of tokens that is a multiple of a batch, one batch at least."""
    return max(1, round(Fraction(tokens) / batch)) * batch


def cell_tokens(design: Design, base: Base, arm: Arm, share: Fraction, batch: int) -> int:
    """Tokens that a cell is trained on."""
    whole: Fraction | int = design.tokens
    if isinstance(whole, Fraction):
        assert base.pretraining is not None  # the design was checked
        whole = whole * base.pretraining.tokens
    if arm.text == "fixed":
        whole = whole * (1 - arm.shares[0]) / (1 - share)
    return whole_batches(whole, batch)
