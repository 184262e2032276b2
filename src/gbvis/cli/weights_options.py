"""Options that say of a weights file what it does not show: how it is read, and what its network's input is like."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from gbvis.cli.option_groups import option
from gbvis.errors import UsageError
from gbvis.networks.kind import list_formats

if TYPE_CHECKING:
    from gbvis.networks.input_format import InputFormats

CheckpointFormat = Annotated[
    str | None,
    option(
        "--checkpoint-format",
        "--family",
        metavar="NAME",
        text=f"Read the file in this format: {', '.join(list_formats())}. Default: the one that the file shows.",
    ),
]
WEIGHTS_VARIABLE = "GBVIS_WEIGHTS"
_BOTH = "With two streams: rgb:... or flow:..., repeatable."


@dataclass
class Reading:
    """How weights files are read, and what the networks' inputs are like."""

    checkpoint_format: CheckpointFormat = None
    state: Annotated[
        str | None,
        option(
            "--state",
            metavar="NAME",
            text="Take this network of a file that holds several, by its key. Default: the averaged one (EMA) of two.",
        ),
    ] = None
    input_range: Annotated[
        list[str] | None,
        option(
            "--input-range",
            metavar="LOW,HIGH",
            text=f"Map 0 and 255 to these before the mean is subtracted: 0,1 or 0,255. Default: the format's. {_BOTH}",
        ),
    ] = None
    mean: Annotated[
        list[str] | None,
        option(
            "--mean",
            metavar="A,B,C",
            text="Subtract this from each channel, in the network's order. Default: the format's; 0 in a new range.",
        ),
    ] = None
    std: Annotated[
        list[str] | None,
        option(
            "--std",
            metavar="A,B,C",
            text="Then divide each channel by this. Default: the format's; 1 in a new range.",
        ),
    ] = None
    channel_order: Annotated[
        str | None,
        option("--channel-order", metavar="rgb|bgr", text="Give the network colours in this order. Default: rgb."),
    ] = None
    resize: Annotated[
        list[str] | None,
        option(
            "--resize",
            metavar="WIDTHxHEIGHT|SHORTER",
            text="Resize frames to this; one number means the shorter side. Default: the format's.",
        ),
    ] = None
    crop: Annotated[
        list[str] | None,
        option("--crop", metavar="SIDE", text="Cut a square of this side from the middle. Default: the format's."),
    ] = None

    def inputs(self) -> InputFormats:
        """Return what is said of the inputs.

        Raises:
            UsageError: It cannot be read.
        """
        from gbvis.networks.input_format import InputFormat, InputFormats

        readers: dict[str, Callable[[str], Any]] = {
            "input_range": _read_range,
            "mean": _read_numbers,
            "std": _read_numbers,
            "channel_order": str,
            "resize": _read_size,
            "crop": _read_side,
        }
        said: dict[str, dict[str, Any]] = {}
        for name, read in readers.items():
            typed = getattr(self, name)
            for one in [typed] if isinstance(typed, str) else typed or ():
                stream, value = _split_stream(one)
                try:
                    said.setdefault(stream, {})[name] = read(value)
                except ValueError as error:
                    flag = f"--{name.replace('_', '-')}"
                    raise UsageError(f"{flag} {one!r} cannot be read", f"{flag} takes {error}") from error
        return InputFormats({stream: InputFormat(**values) for stream, values in said.items()})


def _split_stream(typed: str) -> tuple[str, str]:
    """Return the stream that a value is said to be for, if any, and the value."""
    match = re.fullmatch(r"(rgb|flow):(.*)", typed, re.DOTALL)
    return (match[1], match[2]) if match else ("", typed)


def _read_numbers(typed: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(one) for one in typed.split(","))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise ValueError("numbers with commas between, such as 0.5,0.5,0.5")
    return numbers


def _read_range(typed: str) -> tuple[float, float]:
    try:
        low, high = _read_numbers(typed)
    except ValueError as error:
        raise ValueError("two numbers with a comma between, such as 0,1 or 0,255") from error
    return low, high


def _read_size(typed: str) -> tuple[int, int] | int:
    match = re.fullmatch(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?", typed.lower())
    if match is None:
        raise ValueError("WIDTHxHEIGHT in pixels, such as 171x128, or one number for the shorter side")
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def _read_side(typed: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})(?:[x×]\1)?", typed.lower())
    if match is None:
        raise ValueError("the side of a square in pixels, such as 112")
    return int(match[1])
