"""Benchmarks: generation into a file that survives a kill, and judging that replays the file."""
