"""Stage 2: how many tokens of each source, and which documents overlap a benchmark."""
