"""Sessions that live over an episode's turns, each in a sandbox of its own."""
