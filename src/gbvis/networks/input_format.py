"""InputFormat: what a user says of a network's input, where the file's own kind would have it otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gbvis.errors import UsageError
from gbvis.registry import check_name
from gbvis.videos.clip import LARGEST, LARGEST_NUMBER, ClipFormat

CHANNEL_ORDERS = ("rgb", "bgr")
_COLOURS = {3: "red, green and blue", 2: "u and v"}


@dataclass(frozen=True)
class InputFormat:
    """What is said of one network's input; what is None stays as the network's format has it.

    Where another range is said and neither mean nor deviation, values go in as they are: the format's own are in other
    units.

    Attributes:
        input_range: What the 8-bit values 0 and 255 become before the mean is subtracted.
        mean: Per channel, in the order in which the network takes them, in units of the range.
        std: Per channel, in the same order and units.
        channel_order: `rgb` or `bgr`.
        resize: Width and height that frames are resized to; or one number, for the shorter side.
        crop: Side of the square in the middle that the network sees.
    """

    input_range: tuple[float, float] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channel_order: str | None = None
    resize: tuple[int, int] | int | None = None
    crop: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without a network.

        Raises:
            UsageError: A number is none that a pixel can be divided by, or a size is none.
        """
        check_name("channel order", CHANNEL_ORDERS, self.channel_order or "rgb")
        low, high = self.input_range or (0.0, 1.0)
        if not 255 / LARGEST_NUMBER <= high - low <= LARGEST_NUMBER or not abs(low) <= LARGEST_NUMBER / 2:
            raise UsageError(
                f"--input-range {low:g},{high:g} is no range", "give its lower and its upper end: 0,1 or 0,255 or -1,1"
            )
        if any(not abs(number) <= LARGEST_NUMBER / 2 for number in self.mean or ()):
            raise UsageError(f"--mean {_join(self.mean)} is no colour", "give a number per channel")
        if any(not 1 / LARGEST_NUMBER <= number <= LARGEST_NUMBER for number in self.std or ()):
            raise UsageError(f"--std {_join(self.std)} cannot be divided by", "give a number above 0 per channel")
        sizes = [*(self.resize if isinstance(self.resize, tuple) else [self.resize]), self.crop]
        if any(size is not None and not 0 < size <= LARGEST for size in sizes):
            raise UsageError("--resize and --crop are sizes in pixels", f"give whole numbers from 1 to {LARGEST}")

    def said(self) -> list[str]:
        """Return the options that were given."""
        names = (one.name for one in fields(self) if getattr(self, one.name) is not None)
        return [f"--{name.replace('_', '-')}" for name in names]

    def changed(self, clip_format: ClipFormat) -> ClipFormat:
        """Return a network's input as it is said to be.

        Raises:
            UsageError: What is said makes no sense for this network.
        """
        changes = {**self._values(clip_format), **self._sizes(clip_format)}
        if self.channel_order is not None:
            if clip_format.channels != 3:
                raise UsageError("--channel-order is for RGB, and flow has no colours", "leave it out")
            changes["is_bgr"] = self.channel_order == "bgr"
        try:
            return replace(clip_format, **changes)
        except ValueError as error:
            raise UsageError(f"no network has such an input: {error}", f"check {', '.join(self.said())}") from error

    def _values(self, clip_format: ClipFormat) -> dict[str, Any]:
        """Return what becomes of the numbers."""
        for option, numbers in (("--mean", self.mean), ("--std", self.std)):
            if numbers is not None and len(numbers) != clip_format.channels:
                raise UsageError(
                    f"{option} {_join(numbers)} has {len(numbers)} number{'s' if len(numbers) > 1 else ''}, and the "
                    f"network takes {clip_format.channels} channels",
                    f"give one each for {_COLOURS[clip_format.channels]}, with commas between",
                )
        if self.input_range is None:
            own = {"mean": self.mean, "std": self.std}
            self._check_units(clip_format)
            return {name: numbers for name, numbers in own.items() if numbers is not None}
        if clip_format.is_motion:
            raise UsageError(
                "--input-range is for 8-bit values, and this network takes motion in pixels", "leave it out"
            )
        low, high = self.input_range
        scale = 255 / (high - low)
        is_own = low == 0 and scale == clip_format.scale
        mean = self.mean or (clip_format.mean if is_own else (0.0,) * clip_format.channels)
        std = self.std or (clip_format.std if is_own else (1.0,) * clip_format.channels)
        return {"scale": scale, "mean": tuple(number - low for number in mean), "std": std}

    def _check_units(self, clip_format: ClipFormat) -> None:
        """Check that a mean without a range lies in the network's own one.

        Raises:
            UsageError: It does not: it is meant for other units.
        """
        largest = 255 / abs(clip_format.scale)
        if self.mean is not None and not clip_format.is_motion and max(map(abs, self.mean)) > largest:
            raise UsageError(
                f"--mean {_join(self.mean)} lies outside of the values that this network takes, 0 to {largest:g}",
                "say in which range it is, such as --input-range 0,255",
            )

    def _sizes(self, clip_format: ClipFormat) -> dict[str, Any]:
        """Return what becomes of the sizes; the crop is in the middle, rounded as the network's own format does it."""
        if self.resize is None and self.crop is None:
            return {}
        keeps_aspect = clip_format.keeps_aspect if self.resize is None else isinstance(self.resize, int)
        width, height = clip_format.width, clip_format.height
        if self.resize is not None:
            width, height = self.resize if isinstance(self.resize, tuple) else (self.resize, self.resize)
        crop = self.crop or clip_format.crop
        if crop > min(width, height):
            raise UsageError(
                f"a crop of {crop}x{crop} pixels is larger than frames resized to {width}x{height}",
                "give a larger --resize, WIDTHxHEIGHT, or a smaller --crop",
            )
        is_cut_off = clip_format.left < round((clip_format.width - clip_format.crop) / 2)
        top, left = ((room // 2) if is_cut_off else round(room / 2) for room in (height - crop, width - crop))
        sizes = {"height": height, "width": width, "crop": crop, "top": top, "left": left}
        return {**sizes, "keeps_aspect": keeps_aspect}


def _join(numbers: tuple[float, ...] | None) -> str:
    return ",".join(f"{number:g}" for number in numbers or ())


@dataclass(frozen=True)
class InputFormats:
    """What is said of the inputs of a call's networks.

    Attributes:
        by_stream: Per stream what is said of it; what is said without naming one stands under an empty name.
    """

    by_stream: Mapping[str, InputFormat] = field(default_factory=dict)

    def changed(self, formats: Mapping[str, ClipFormat]) -> dict[str, ClipFormat]:
        """Return the networks' inputs, by stream, as they are said to be.

        Raises:
            UsageError: It does not say which of two streams is meant, or means one that is not there, or makes no
                sense.
        """
        general = self.by_stream.get("", InputFormat())
        unclear = [option for option in general.said() if option != "--channel-order"]  # flow has none
        if unclear and len(formats) > 1:
            raise UsageError(
                f"{unclear[0]} does not say which stream it is for, and there are two",
                f"write `{unclear[0]} rgb:...` or `{unclear[0]} flow:...`, or choose a stream with -m",
            )
        for stream, said in self.by_stream.items():
            if stream and said.said() and stream not in formats:
                raise UsageError(
                    f"{said.said()[0]} is for {stream}, and no such network is given",
                    "give its weights, or leave it out",
                )
        return {stream: self._for(stream, formats).changed(one) for stream, one in formats.items()}

    def _for(self, stream: str, formats: Mapping[str, ClipFormat]) -> InputFormat:
        """Return what is said of one stream; what names it goes before what names none."""
        general, own = self.by_stream.get("", InputFormat()), self.by_stream.get(stream, InputFormat())
        if stream == "flow" and len(formats) > 1:
            general = replace(general, channel_order=None)
        said = {one.name: value for one in fields(own) if (value := getattr(own, one.name)) is not None}
        return replace(general, **said)
