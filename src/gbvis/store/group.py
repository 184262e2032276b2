"""What one finished group of a store holds, read when it is asked for."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution import Gradient
from gbvis.clip import ClipPixels
from gbvis.endpoint import Endpoint, read_endpoint
from gbvis.errors import GbvisError
from gbvis.store.metadata import find_chunks, write_attributes
from gbvis.store.publishing import cannot_write, leads_out
from gbvis.video import VideoShape

if TYPE_CHECKING:
    import zarr


class StoredGroup:
    """A group of a store: its key, its attributes, its arrays.

    Attributes:
        key: The group's place below the store.
        attributes: As in `DESIGN.md`, part 4.
    """

    def __init__(self, store: Path, key: str, attributes: dict[str, Any]) -> None:
        self._store = store
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self.key = key
        self.attributes = attributes

    @property
    def location(self) -> str:
        """The group's absolute path."""
        return str((self._store / self.key).absolute())

    def _chunks(self, name: str, places: Iterable[int] | None = None) -> list[Path]:
        """Return the files of an array's chunks, one a clip; of all of them, or of those at the places named."""
        return find_chunks(self._store / self.key / name, places)

    def _array(self, name: str) -> "zarr.Array[Any]":
        if name not in self._arrays:
            import zarr

            self._arrays[name] = zarr.open_array(self._store / self.key / name, mode="r+", zarr_format=3)
        return self._arrays[name]

    def _has_all(self, name: str) -> bool:
        """Return whether every chunk of an array is there; what is in them is checked when they are read."""
        try:
            return all(chunk.is_file() and chunk.stat().st_size for chunk in self._chunks(name))
        except (KeyError, OSError):
            return False

    def _read(self, name: str, clip: int) -> NDArray[Any]:
        """Return one clip's chunk of an array; checksums are checked, and a missing chunk is never taken for zeros."""
        with self._explaining_damage():
            (chunk,) = self._chunks(name, [clip])
            if not chunk.is_file():
                raise FileNotFoundError(f"{chunk.name} is missing")
            return np.asarray(self._array(name)[clip])

    @contextmanager
    def _explaining_damage(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            why = "a checksum does not fit" if "checksum" in str(error) else "a part of it is missing or broken"
            raise GbvisError(
                f"{self.key} in {self._store} is damaged: {why}",
                "run the same `gbvis explain` with --force to compute it again",
            ) from error


class StoredClips(StoredGroup):
    """The clips that runs of one video and modality share."""

    @property
    def digest(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[1]

    @property
    def is_whole(self) -> bool:
        """True where no chunk is missing."""
        return self._has_all("pixels")

    @property
    def frames(self) -> list[list[int]]:
        """Per clip its frame numbers."""
        frames: list[list[int]] = self.attributes["frames"]
        return frames

    @property
    def video_shape(self) -> VideoShape:
        """What the video is like."""
        height, width = self.attributes["source_size"]
        return VideoShape(self.attributes["frame_count"], self.attributes["rate"], width, height)

    def pixels(self, clip: int) -> ClipPixels:
        """Return what the network saw before normalisation: (time, y, x, channel), uint8 or, for motion, float32."""
        return self._read("pixels", clip)


class StoredFlow(StoredGroup):
    """The estimated motion of a video, pair by pair of its frames: what is there is done."""

    @property
    def is_usable(self) -> bool:
        """True where the array that holds the pairs can be opened; some or all of them may be missing."""
        try:
            return not leads_out(self._store, f"{self.key}/motion") and self._array("motion").ndim == 4
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            return False

    def missing(self, pairs: Iterable[int]) -> list[int]:
        """Return those of the pairs that are not there, rising; pair k is frames k and k + 1."""
        wanted = sorted(set(pairs))
        folder = self._store / self.key / "motion"
        there = {chunk.name for chunk in folder.iterdir()} if folder.is_dir() else set()
        chunks = self._chunks("motion", wanted)
        return [pair for pair, chunk in zip(wanted, chunks, strict=True) if chunk.name not in there]

    def read(self, pair: int) -> NDArray[Any] | None:
        """Return a pair's motion, (y, x, 2), uint8 or float32; None where it is not there, or damaged."""
        try:
            return self._read("motion", pair)
        except GbvisError:
            return None

    def write(self, pair: int, motion: NDArray[Any]) -> None:
        """Keep a pair's motion; it is there as a whole or not at all. Any thread may call this.

        Raises:
            GbvisError: The store cannot be written.
        """
        try:
            self._array("motion")[pair] = motion
        except OSError as error:
            raise cannot_write(self._store, error) from error


class StoredRun(StoredGroup):
    """One run: a gradient per clip and all that decided it."""

    @property
    def is_whole(self) -> bool:
        """True where no chunk is missing."""
        return self._has_all("gradient")

    @property
    def is_in_place(self) -> bool:
        """True where its recipe agrees with its key: pictures and clips are named after the recipe."""
        said = (self.recipe[part] for part in ("modality", "endpoint", "target"))
        return self.key.split("/", 1)[1].startswith("{}/{}/{}-".format(*said))

    @property
    def video(self) -> str:
        """The video's true name."""
        return str(self.attributes["video"])

    @property
    def modality(self) -> str:
        """`rgb` or `flow`."""
        return str(self.recipe["modality"])

    @property
    def endpoint(self) -> Endpoint:
        """Where the target lies."""
        return read_endpoint(self.recipe["endpoint"])

    @property
    def target(self) -> int:
        """The filter, feature or class."""
        return int(self.recipe["target"])

    @property
    def recipe(self) -> dict[str, Any]:
        """What decided the numbers, as `Recipe.to_json` wrote it."""
        recipe: dict[str, Any] = self.attributes["recipe"]
        return recipe

    @property
    def digest(self) -> str:
        """The last part of the key's last part."""
        return self.key.rsplit("-", 1)[1]

    @property
    def clip_count(self) -> int:
        """The number of clips."""
        return len(self.recipe["clips"])

    @property
    def values(self) -> list[float]:
        """The target's value per clip."""
        values: list[float] = self.attributes["value"]
        return values

    def gradient(self, clip: int) -> Gradient:
        """Return d target / d normalised input: float32 (channel, time, y, x); flow: channel 0 is u, 1 is v."""
        return self._read("gradient", clip)

    def add_requests(self, digests: list[str]) -> None:
        """Keep with the run that it answers these requests too, if the store lets us; if not, nothing is lost."""
        self.attributes["requests"] = sorted({*self.attributes["requests"], *digests})
        with suppress(OSError):
            write_attributes(self._store / self.key, self.attributes)
