"""Pinned files from package indexes, the hub and repositories: resumed, retried, verified before use."""
