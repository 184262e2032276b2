"""What can happen to the bytes of a file; all of it comes from the generator of random numbers that is handed in."""

import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Damage = Callable[[bytes, Random], bytes]

HUGE = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, (1 << 63) - 1, (1 << 64) - 1]
"""What a header's field is set to; values that are too large for the field are cut to it."""

STRANGE: list[Any] = [
    None, True, -1, 0, 1e-320, 1e308, 10**30, 10**400, "", "\x00", "x" * 10_000, "\ud800", [], {}, [[]],
    {"": None}, [1, 2, 3],
]  # fmt: skip
"""What a value in JSON is replaced by."""


def _place(content: bytes, random: Random) -> int:
    """Return where to strike: anywhere, near the beginning, near the end, or behind a four-letter word of a header."""
    where = random.choice(["anywhere", "beginning", "end", "word"])
    if where == "beginning":
        return random.randrange(min(len(content), 256))
    if where == "end":
        return len(content) - 1 - random.randrange(min(len(content), 1024))
    if where == "word" and (words := [match.end() for match in re.finditer(rb"[A-Za-z ]{4}", content)]):
        return min(len(content) - 1, random.choice(words) + random.randrange(24))
    return random.randrange(len(content))


def _range(content: bytes, random: Random) -> tuple[int, int]:
    start = _place(content, random)
    return start, min(len(content), start + random.choice([1, 4, 16, 256, 4096]))


def flip_bits(content: bytes, random: Random) -> bytes:
    """Flip one to many single bits."""
    broken = bytearray(content)
    for _ in range(random.choice([1, 1, 4, 32, 256])):
        broken[_place(content, random)] ^= 1 << random.randrange(8)
    return bytes(broken)


def overwrite(content: bytes, random: Random) -> bytes:
    """Put noise over a range."""
    start, end = _range(content, random)
    return content[:start] + random.randbytes(end - start) + content[end:]


def zero(content: bytes, random: Random) -> bytes:
    """Put zeros over a range, as a lost sector does."""
    start, end = _range(content, random)
    return content[:start] + bytes(end - start) + content[end:]


def cut(content: bytes, random: Random) -> bytes:
    """Leave out the end."""
    return content[: _place(content, random)]


def remove(content: bytes, random: Random) -> bytes:
    """Leave out a range."""
    start, end = _range(content, random)
    return content[:start] + content[end:]


def insert(content: bytes, random: Random) -> bytes:
    """Put noise in between."""
    start, end = _range(content, random)
    return content[:start] + random.randbytes(end - start) + content[start:]


def duplicate(content: bytes, random: Random) -> bytes:
    """Have a range twice, or many times."""
    start, end = _range(content, random)
    return content[:end] + content[start:end] * random.choice([1, 1, 100]) + content[end:]


def splice(content: bytes, random: Random) -> bytes:
    """Let one place of the file go on with another."""
    return content[: _place(content, random)] + content[_place(content, random) :]


def set_fields(content: bytes, random: Random) -> bytes:
    """Set numbers of 2, 4 or 8 bytes to the ends of what they can hold."""
    broken = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 4])):
        place, size = _place(content, random), random.choice([2, 4, 4, 8])
        value = random.choice(HUGE) & ((1 << 8 * size) - 1)
        broken[place : place + size] = value.to_bytes(size, random.choice(["little", "big"]))
    return bytes(broken)


def append(content: bytes, random: Random) -> bytes:
    """Have something behind the end: noise, zeros, or the file once more."""
    return content + random.choice([random.randbytes(4096), bytes(4096), content])


def empty(content: bytes, random: Random) -> bytes:
    """Leave next to nothing."""
    return content[: random.choice([0, 1, 8])]


DAMAGES: tuple[Damage, ...] = (
    flip_bits, flip_bits, set_fields, set_fields, set_fields, overwrite, zero, cut, remove, insert, duplicate, splice,
    append, empty,
)  # fmt: skip
"""What is often met, and what finds most, stands here more than once."""


def damage(content: bytes, random: Random) -> bytes:
    """Return the file after one or two accidents."""
    for _ in range(random.choice([1, 1, 1, 2])):
        content = random.choice(DAMAGES)(content, random) if content else content
    return content


def damage_json(text: str, random: Random) -> str:
    """Return JSON in which one value is gone, or another, or of another kind, or nested deeper than anyone expects."""
    tree = json.loads(text)
    holder = random.choice(list(_holders(tree)))
    key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if random.random() < 0.2:
        del holder[key]
    else:
        holder[key] = random.choice([*STRANGE, "DEEP"])
    return json.dumps(tree).replace('"DEEP"', "[" * 100_000 + "]" * 100_000)


def _holders(tree: Any) -> Iterator[Any]:
    """Yield every filled list and object in plain data."""
    if isinstance(tree, dict | list) and tree:
        yield tree
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(value)
