"""Continued pretraining and fine-tuning: one loop behind an engine interface."""

import os

# Read when torch is loaded. By default OpenMP's threads spin while they wait for each other: beside
# another busy process a step of 8 s was seen to take 180 s. Sleeping costs little on idle cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
