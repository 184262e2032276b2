"""What the user says of a network of their own: the function that builds it, and the input that it takes."""

import re
from dataclasses import dataclass
from pathlib import Path

from gbvis.errors import UsageError
from gbvis.videos.clip import LARGEST

_EXAMPLES = "such as nets.py:build, or package.nets:build"


@dataclass(frozen=True)
class NetworkSpec:
    """The function that builds a network.

    Attributes:
        place: The module's name with its packages; or the file's absolute path.
        function: The function's name, or several with dots between: `Net.for_ucf101`.
        folder: What can be imported from while it builds: the file's folder, or the one that the call was made in.
        is_file: Whether `place` is a file.
    """

    place: str
    function: str
    folder: Path
    is_file: bool

    def __str__(self) -> str:
        return f"{self.place}:{self.function}"

    @property
    def name(self) -> str:
        """The same without the folders that the file lies in: what stays if all of it is copied elsewhere."""
        return f"{Path(self.place).name if self.is_file else self.place}:{self.function}"


@dataclass(frozen=True)
class InputSize:
    """The clip that a network takes.

    Attributes:
        frames: Its length.
        side: Its rows, and its columns.
    """

    frames: int
    side: int

    def __str__(self) -> str:
        return f"{self.frames}x{self.side}x{self.side}"


@dataclass(frozen=True)
class OwnNetwork:
    """A network of the user's own, as a call names it; plain data that other processes can be sent.

    Attributes:
        spec: What builds it.
        input: What it takes.
        identity: What it was in the process that sends this; empty where nobody has built it yet.
    """

    spec: NetworkSpec
    input: InputSize
    identity: str = ""


def read_own_network(network: str | None, size: str | None) -> OwnNetwork | None:
    """Return what `--network` and `--input` mean; None where neither is given.

    Raises:
        UsageError: One is given without the other, or cannot be read.
    """
    if network is None and size is None:
        return None
    if network is None:
        raise UsageError(
            f"--input {size} says what a network of your own takes, and there is no --network",
            f"name the function that builds it, {_EXAMPLES}; a checkpoint's input has --resize and --crop",
        )
    if size is None:
        raise UsageError(
            f"--network {network} does not say what the network takes",
            "say it with --input FRAMESxROWSxCOLUMNS, such as --input 16x112x112",
        )
    return OwnNetwork(read_spec(network), read_size(size))


def read_spec(typed: str) -> NetworkSpec:
    """Return the function that `MODULE:FUNCTION` or `FILE.py:FUNCTION` means.

    Raises:
        UsageError: It means none, or there is no such file.
    """
    place, colon, function = typed.rpartition(":")
    if not colon or not place or not all(word.isidentifier() for word in function.split(".")):
        lacking = place if colon else typed
        raise UsageError(
            f"--network {typed!r} names no function that builds a network",
            f"write {lacking or 'nets.py'}:FUNCTION, {_EXAMPLES}",
        )
    if place.endswith(".py") or "/" in place:
        path = Path(place).expanduser().absolute()
        if not path.is_file():
            raise UsageError(f"no such file: {place}", f"check the path before the colon of --network {typed}")
        return NetworkSpec(str(path), function, path.parent, is_file=True)
    if not all(word.isidentifier() for word in place.split(".")):
        raise UsageError(f"--network {typed!r} names no module", f"write a module's name, {_EXAMPLES}")
    return NetworkSpec(place, function, Path.cwd(), is_file=False)


def read_size(typed: str) -> InputSize:
    """Return the input that `FRAMESxROWSxCOLUMNS` means.

    Raises:
        UsageError: It means none, or no square.
    """
    match = re.fullmatch("([0-9]{1,9})[x×]([0-9]{1,9})[x×]([0-9]{1,9})", typed.strip().lower())
    sizes = tuple(int(size) for size in match.groups()) if match else ()
    if not sizes or not all(0 < size <= LARGEST for size in sizes):
        raise UsageError(
            f"--input {typed!r} is no input", f"give frames, rows and columns from 1 to {LARGEST}: --input 16x112x112"
        )
    frames, rows, columns = sizes
    if rows != columns:
        raise UsageError(
            f"--input {typed} is no square, and gbvis cuts a square from each frame",
            f"give as many rows as columns, such as --input {frames}x{min(rows, columns)}x{min(rows, columns)}",
        )
    return InputSize(frames, rows)
