"""Renderers, one file a format: `write(picture, path)` writes a picture to a path that is free."""
