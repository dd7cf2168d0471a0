"""Studies: cells that differ in one thing, trained and scored by the pipeline's own rules, and what follows from them."""
