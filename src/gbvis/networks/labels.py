"""Class names: the lists that come with gbvis, files of names, and looking up a class by its name."""

import difflib
import re
from importlib import resources
from pathlib import Path

from gbvis.errors import UsageError
from gbvis.videos.name_list import read_text

Labels = tuple[str, ...]


def read_class_list(name: str) -> Labels:
    """Return the class list `name` that comes with gbvis: `ucf101`, `hmdb51` or `kinetics400`.

    UCF-101 is in the official order, Kinetics-400 in torchvision's. HMDB-51 is in the order the old script was
    trained with, which is not the alphabetical one: five pairs stand swapped.
    """
    text = resources.files("gbvis.networks").joinpath("class_lists", f"{name}.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def read_labels(path: Path) -> Labels:
    """Return the class names in a file: a name a line, or a number and a name, the numbers rising by one.

    Raises:
        UsageError: The file cannot be read, or holds no names.
    """
    try:
        with path.open("rb") as file:
            text = read_text(file, str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"cannot read the class names in {path}: {why}", "check the file") from error
    # `splitlines` would divide names at U+2028 and its like too
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines:
        raise UsageError(f"no class names in {path}", "expected one a line")
    matches = [re.fullmatch(r"([0-9]{1,9})\s+(\S.*)", line) for line in lines]
    numbered = [match for match in matches if match]
    first = int(numbered[0][1]) if numbered else 0
    if [int(match[1]) for match in numbered] == list(range(first, first + len(lines))):
        return tuple(match[2] for match in numbered)
    return tuple(lines)


def find_class(label: str, labels: Labels | None, class_count: int) -> int:
    """Return the 0-based class index that `label`, an index or a name, means.

    Names are compared without regard to case, spaces, hyphens and underscores.

    Raises:
        UsageError: The index is out of range or the name unknown.
    """
    if re.fullmatch(r"-?[0-9]{1,9}", label):
        return check_index(int(label), class_count, "class")
    if labels is None:
        raise UsageError(
            f"unknown label {label!r}: these weights carry no class names",
            f"give the class as a number from 0 to {class_count - 1}",
        )
    by_key = {label_key(name): index for index, name in enumerate(labels)}
    index = by_key.get(label_key(label))
    if index is None:
        near = difflib.get_close_matches(label_key(label), by_key, n=3)
        meant = " or ".join(labels[by_key[key]] for key in near)
        hint = f"did you mean {meant}?" if near else f"names run from {labels[0]!r} to {labels[-1]!r}"
        raise UsageError(f"unknown label {label!r} among {class_count} classes", hint)
    return index


def check_index(index: int, count: int, kind: str) -> int:
    """Return `index` if it is one of `count`; `kind` names the thing counted in the error.

    Raises:
        UsageError: It is not.
    """
    if not 0 <= index < count:
        raise UsageError(f"{kind} {index} is out of range", f"choose from 0 to {count - 1}")
    return index


def label_key(name: str) -> str:
    """Return what of a class name counts when names are compared: no case, spaces, hyphens, underscores."""
    return "".join(character for character in name.lower() if character not in " _-")


def class_name(labels: Labels | None, index: int) -> str | None:
    """Return the name of a class, where it is known."""
    return labels[index] if labels and 0 <= index < len(labels) else None
