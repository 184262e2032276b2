"""What one finished group of a store holds, read when it is asked for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.store.array import ArrayFormat, checksum_of, is_intact
from gbvis.store.metadata import fits
from gbvis.store.storage import Storage, Unreachable


class StoredGroup:
    """A group of a store: its key, its attributes, its arrays.

    Attributes:
        key: The group's place below the store.
        attributes: As in `DESIGN.md`, part 4.
    """

    FORM: ClassVar[Mapping[str, Any]] = {}
    """What attributes there must be, and of which form; see `metadata.fits`."""

    ARRAYS: ClassVar[tuple[str, ...]] = ()
    """Arrays without which the group is damaged."""

    def __init__(self, place: Storage, key: str, attributes: dict[str, Any]) -> None:
        self._place = place
        self._formats: dict[str, ArrayFormat] = {}
        self.key = key
        self.attributes = attributes

    @property
    def location(self) -> str:
        """The group's absolute path or URL."""
        return self._place.locate(self.key)

    @property
    def own_key(self) -> str:
        """The key that a group with these attributes has: another means that it was moved."""
        raise NotImplementedError

    def find_damage(self, is_thorough: bool) -> str | None:
        """Return what is wrong with the group, or None where nothing is.

        Args:
            is_thorough: Read every chunk, and compare its checksum; else see only whether it is there.
        """
        try:
            return self._find_damage(is_thorough)
        except Unreachable:
            raise
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, GbvisError) as error:
            return f"its metadata makes no sense ({type(error).__name__})"

    def _find_damage(self, is_thorough: bool) -> str | None:
        """As `find_damage`, and any error says that the group is damaged."""
        for name, form in self.FORM.items():
            if not fits(self.attributes, {name: form}):
                return f"its metadata has no sound {name}"
        if self.own_key != self.key:
            return f"it is that of {self.own_key}"
        sizes = {file.key: file.size for file in self._place.list_files(self.key)}
        for name in self.ARRAYS:
            damage = self._find_damaged_chunk(name, sizes, is_thorough)
            if damage:
                return damage
        return None

    def _find_damaged_chunk(self, name: str, sizes: dict[str, int], is_thorough: bool) -> str | None:
        array = self._array(name)
        if array is None:
            return f"the metadata of {name} is missing or broken"
        checksums: list[str] = self.attributes["arrays"][name]["chunks"]
        if not fits(checksums, [str]) or len(checksums) != array.chunk_count:
            return f"{name} has {array.chunk_count} chunks, and not as many checksums"
        for number, checksum in enumerate(checksums):
            chunk = f"{self.key}/{name}/{array.chunk_name(number)}"
            if not sizes.get(chunk):
                return f"chunk {number} of {name} is missing"
            if is_thorough and not is_intact(self._place.read(chunk), checksum):
                return f"the checksum of chunk {number} of {name} does not fit"
        return None

    def _array(self, name: str) -> ArrayFormat | None:
        """Return the format of an array; None where its metadata is missing, or not as it was written."""
        if name not in self._formats:
            array = ArrayFormat(self._place.read_json(f"{self.key}/{name}"))
            if array.digest != self.attributes["arrays"][name]["metadata"]:
                return None
            self._formats[name] = array
        return self._formats[name]

    def _read(self, name: str, number: int, is_listed: bool = True) -> NDArray[Any]:
        """Return one chunk of an array, without the first axis.

        Args:
            name: The array's.
            number: The chunk's.
            is_listed: The group's metadata names the chunk's checksum.

        Raises:
            GbvisError: It is missing, or a checksum does not fit.
        """
        with self._explaining_damage():
            array = self._array(name)
            if array is None:
                raise ValueError(f"the metadata of {name} is missing or broken")
            chunk = self._place.read(f"{self.key}/{name}/{array.chunk_name(number)}")
            if is_listed and checksum_of(chunk) != self.attributes["arrays"][name]["chunks"][number]:
                raise ValueError("a checksum does not fit")
            values: NDArray[Any] = array.decode(number, chunk)[0]
            return values

    @contextmanager
    def _explaining_damage(self) -> Iterator[None]:
        try:
            yield
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            why = "a checksum does not fit" if "checksum" in str(error) else "a part of it is missing or broken"
            raise GbvisError(
                f"{self.key} in {self._place.location} is damaged: {why}",
                "run the same `gbvis explain` again: it computes anew what is damaged",
            ) from error
