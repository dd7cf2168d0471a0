"""Measurements against named peers, written to reports/bench/; nothing here is a test."""
