"""Agent results: recorded MINT trajectories to outcomes, outcomes to the paper's radar."""
