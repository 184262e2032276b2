"""A weights file becomes a network that runs."""
