"""The networks that come with gbvis, and the name that stands for them."""

from pathlib import Path

SAMPLE_WEIGHTS = "sample"
"""What stands for them where a weights file is asked for."""


def find_weights(typed: Path) -> Path:
    """Return the weights file that is meant: `sample` is the file that comes with gbvis, whatever is in the folder."""
    return Path(__file__).with_name("sample.safetensors") if typed == Path(SAMPLE_WEIGHTS) else typed
