"""Outside systems: one connector each, and nothing else talks to the outside."""
