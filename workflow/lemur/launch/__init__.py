"""Start a training script as one process or many, and stop it in time when an allocation ends."""
