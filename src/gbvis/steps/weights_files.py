"""What is said of a weights file: what stands in the way of reading it, and which state was read."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gbvis.errors import UsageError
from gbvis.networks.info import WeightsInfo
from gbvis.networks.sample import SAMPLE_WEIGHTS
from gbvis.registry import suggest

_SUFFIXES = (".pth", ".pt", ".pkl", ".safetensors", ".tar", ".ckpt", ".bin")
"""Of weights files, for hints: what a file is, its first bytes say."""


def no_file(path: Path, names: Collection[str] = ()) -> UsageError:
    """Return the error for what is no file, and none of the names of weights that may stand there."""
    if path.is_dir():
        with suppress(OSError):
            held = sorted(str(one) for one in path.iterdir() if one.suffix in _SUFFIXES)
            hint = f"give a file in it: {', '.join(held[:3])}" if held else "no weights file lies in it"
            return UsageError(f"weights file {path} is a folder", hint)
        return UsageError(f"weights file {path} is a folder", "give a file in it")
    if str(path) == "-":
        return UsageError("weights cannot be read from standard input", "save them to a file, and give that with -w")
    if path.name == str(path) and path.suffix not in _SUFFIXES and not path.exists():
        hint = f"{suggest(str(path), [SAMPLE_WEIGHTS, *names])}give a file, or sample for the networks that come along"
        return UsageError(f"no weights called {path}, and no such file", hint)
    found = "is no file" if path.exists() else "does not exist"
    return UsageError(f"weights file {path} {found}", "check the path")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say which weights file the system does not let us read."""
    try:
        yield
    except OSError as error:
        problem = f"cannot read the weights file {path}: {error.strerror or error}"
        raise UsageError(problem, "check the path and its permissions") from error


def describe_states(info: WeightsInfo) -> str:
    """Return which of several states of a file was read, in words."""
    taken, *others = info.states
    return f"{taken} is taken, not {', '.join(others)}; --state NAME takes another"
