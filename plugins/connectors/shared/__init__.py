"""What connectors have in common: where they may point, sending, reading fields, tokens. It knows no vendor."""
