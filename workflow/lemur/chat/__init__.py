"""The chat format, rendered in one place for training, scoring and agents."""
