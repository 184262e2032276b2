"""Records: plain data, as JSON has it, read into the classes that say what it means."""

from threading import Lock
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record")

_LOCK = Lock()


def read_record(data: Any, kind: type[Record], *, strict: bool = True) -> Record:
    """Return plain data as an object of a class; threads take turns.

    msgspec looks at a class when it first meets it, and ends the process where two threads do so at once
    (release 0.22.0).

    Args:
        data: Dictionaries, lists, strings, numbers.
        kind: A dataclass, or another type.
        strict: Numbers have to be numbers, and not words for them.

    Raises:
        msgspec.ValidationError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError: The data is no
            such object.
    """
    with _LOCK:
        return msgspec.convert(data, kind, strict=strict)
