"""Networks: a weights file becomes a network that runs."""
