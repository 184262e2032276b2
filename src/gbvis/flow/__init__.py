"""Motion estimated from frames."""
