"""Answers of a causal language model: forward passes, KV cache, sampling, speculative decoding."""

import os

# Threads that wait give up their core. Decoding is many short parallel regions: where threads spin
# instead (the default) and another job uses the cores, it takes several times as long.
# They spin for a fraction of a millisecond before, which two regions of one layer are apart.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "100000")
