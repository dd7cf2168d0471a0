"""Recipes and catalogues: read, overlaid, validated, and cut into one slice a stage."""
