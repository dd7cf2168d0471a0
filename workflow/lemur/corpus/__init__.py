"""Stage 1: fetch pinned sources, read them safely, and keep the documents worth training on."""
