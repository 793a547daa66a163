"""What the core asks of a source, of a tool of each kind, and of a clock."""
