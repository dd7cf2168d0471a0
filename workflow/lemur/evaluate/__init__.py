"""Benchmarks: generation into a file that survives a kill, and judging that replays the file."""

import os

# Read by the libraries when they are imported: nothing is fetched at run time, and progress is
# told by ``lemur.progress`` alone.
for _name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TQDM_DISABLE"):
    os.environ[_name] = "1"
