"""Stage 5, its data: conversations from real packages, and their tokens with an exact loss mask."""
