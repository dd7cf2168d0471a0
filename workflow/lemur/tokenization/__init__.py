"""Stage 3: documents to token files, token files to packed sequences."""
