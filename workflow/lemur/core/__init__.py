"""Foundations that know nothing of the pipeline: errors, files, locks, progress, hardware, provenance."""
