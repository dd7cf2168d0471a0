"""Results in the formats that other tools open, each written from the same typed results."""
