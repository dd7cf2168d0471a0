"""Starting models: from a GGUF of a package index, a hub snapshot, or random weights."""
