"""Benchmarks: generation into a file that survives a kill, and judging that replays the file."""

import lemur.inference  # noqa: F401  how its threads wait is set before torch is loaded
