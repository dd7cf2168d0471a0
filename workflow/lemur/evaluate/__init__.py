"""Benchmarks: generation into a file that survives a kill, and judging that replays the file."""

import os

# Read by the libraries when they are imported: nothing is fetched at run time, and progress is
# told by ``lemur.progress`` alone.
for _name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TQDM_DISABLE"):
    os.environ[_name] = "1"
# Threads that wait give up their core. Decoding is many short parallel regions: where threads spin
# instead (the default) and another job uses the cores, it takes several times as long.
# They spin for a fraction of a millisecond before, which two regions of one layer are apart.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "100000")
