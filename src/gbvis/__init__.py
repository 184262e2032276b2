"""gbvis shows what a video network looked at; `gbvis.steps` is its Python API."""

__version__ = "0.1.0"
