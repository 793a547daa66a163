"""The wiring: the one place that picks a connector by settings and resolves a connection."""
