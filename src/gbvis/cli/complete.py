"""Completion: what may stand where the cursor is. It imports little, since it runs at each TAB.

`dataclasses` would take as long as all the rest, `gbvis.store` ten times as long.

`words.json` has the commands, their options and the words that these take; `python -m gbvis.cli.words` writes it.
"""

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gbvis.cli.shell_words import TypedLine, quote_rest, read_line
from gbvis.shell import as_argument

WORDS = Path(__file__).with_name("words.json")

_DEFAULT_STORE = "gbvis.zarr"
_FILES, _WORDS = "files", "words"
"""What is printed first for zsh and fish: the first where they are to add files, which they know best how to."""


def answer(shell: str, arguments: list[str]) -> None:
    """Print one word a line; whatever goes wrong, nothing.

    Args:
        shell: `bash`, which gives the line up to the cursor and the part of it that is replaced, and wants words quoted
            for that place; `zsh` or `fish`, which give words without quotes and want them so.
        arguments: What the shell gives.
    """
    try:
        lines = complete_line(*arguments[:2]) if shell == "bash" else complete_words(arguments)
    except Exception:  # a traceback would lie in the middle of the line that is being typed
        return
    sys.stdout.buffer.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
    sys.stdout.buffer.flush()


def complete_line(text: str, replaced: str = "") -> list[str]:
    """Return what bash may put in place of the end of a line, `replaced`; quoted for where it stands."""
    line = read_line(text)
    if not line.is_plain:
        return []  # bash goes on by itself
    place = find_place(line)
    words = place.words() + (place.files() if place.has_files else [])
    if line.quote and len(words) == 1 and words[0].endswith("/"):
        return []  # bash would close the quote; its own completion of files does not
    return [replaced + quote_rest(word[len(line.prefix) :], line.quote) for word in dict.fromkeys(words)]


def complete_words(arguments: list[str]) -> list[str]:
    """Return the words that may stand in place of the last of these, and before them whether files may too."""
    place = find_place(TypedLine(arguments[:-1], "".join(arguments[-1:])))
    shown = [word for word in dict.fromkeys(place.words()) if word.isprintable()]
    return [_FILES if place.has_files and not place.head else _WORDS, *shown]


class Place(NamedTuple):
    """What may stand at the cursor.

    Attributes:
        kinds: Names of lists of words, `VIDEO`, `WEIGHTS`, `FILE`, `LIST` (several, with commas between them), or else
            the words themselves.
        lists: The lists of words.
        prefix: What is typed of it.
        head: What is typed before that and stays: `--layout=`.
        store: The store that is meant.
    """

    kinds: list[str]
    lists: dict[str, list[str]]
    prefix: str
    head: str = ""
    store: str = _DEFAULT_STORE

    @property
    def has_files(self) -> bool:
        """Whether files may stand there."""
        return "FILE" in self.kinds

    def words(self) -> list[str]:
        """Return the words that may stand there."""
        words: list[str] = []
        for kind in self.kinds:
            if kind == "VIDEO":
                words += list_videos(self.store, self.prefix)
            elif kind == "WEIGHTS":
                words += list_weights(self.store)
            elif kind == "LIST":
                done = self.prefix.rpartition(",")[0]
                words = [f"{done},{word}" if done else word for word in words]
            elif kind != "FILE":
                words += self.lists.get(kind, [kind])
        return [self.head + word for word in words if word.startswith(self.prefix)]

    def files(self) -> list[str]:
        """Return the files that may stand there."""
        return [self.head + path for path in list_files(self.prefix)]


def find_place(line: TypedLine) -> Place:
    """Return what may stand at the cursor of a line."""
    known = json.loads(WORDS.read_text(encoding="utf-8"))
    command, typed, lists = known["commands"], line.words[1:], known["words"]
    while typed and "commands" in command:
        if typed[0] not in command["commands"]:
            return Place(command["options"].get(typed[-1]) or [], lists, line.prefix)
        command, typed = command["commands"][typed[0]], typed[1:]
    options = command["options"]
    name, equals, value = line.prefix.partition("=")
    is_over = "--" in typed
    if name in options and equals and not is_over:
        return Place(options[name] or [], lists, value, f"{name}=", _find_store(typed))
    if "commands" in command:
        return Place([*(options if line.prefix.startswith("-") else command["commands"])], lists, line.prefix)
    kinds = options.get(typed[-1]) if typed and not is_over else None
    is_option = not is_over and (line.prefix.startswith("-") or not command["arguments"])
    if kinds is None:
        kinds = [*options] if is_option else command["arguments"]
    return Place(kinds, lists, line.prefix, store=_find_store(typed))


def _find_store(typed: list[str]) -> str:
    """Return the store that is meant: the one typed, that of the environment, or the usual one."""
    for place, word in enumerate(typed):
        if word == "--store" and place + 1 < len(typed):
            return typed[place + 1]
        if word.startswith("--store="):
            return word.removeprefix("--store=")
    return os.environ.get("GBVIS_STORE") or _DEFAULT_STORE


def list_videos(store: str, prefix: str = "") -> list[str]:
    """Return the names of the videos in a store of this machine, as they are to be typed."""
    try:
        with os.scandir(os.path.expanduser(store)) as entries:  # noqa: PTH111
            keys = sorted(one.name for one in entries if one.name[0] != "." and one.is_dir(follow_symlinks=False))
    except OSError:
        return []
    names = [_name_of_key(key) for key in keys if key not in ("weights", "%") and "~" not in key]
    if prefix.startswith("sample:"):
        return [f"sample:{name}" for name in names]
    return [as_argument(name) for name in names]


def list_weights(store: str) -> list[str]:
    """Return the names that weights have in a store of this machine."""
    folder, found = os.path.join(os.path.expanduser(store), "weights"), []  # noqa: PTH111, PTH118
    try:
        records = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    for record in records:
        try:
            with open(os.path.join(folder, record, "zarr.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                found.append(json.load(file)["attributes"]["name"])
        except (OSError, ValueError, LookupError, TypeError):  # not one of ours
            continue
    return [name for name in found if isinstance(name, str) and name]


def _name_of_key(key: str) -> str:
    """As `store.keys.name_of_key`."""
    return os.fsdecode(unquote_to_bytes(os.fsencode(key)))


def list_files(prefix: str) -> list[str]:
    """Return the files and folders that begin so, folders with a `/` behind them."""
    name = prefix.rpartition("/")[2]
    start = prefix[: len(prefix) - len(name)]
    try:
        with os.scandir(os.path.expanduser(start) or ".") as entries:  # noqa: PTH111
            found = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(name))
    except OSError:
        return []
    shown = ((one, is_folder) for one, is_folder in found if name or not one.startswith("."))
    paths = [start + one + "/" * is_folder for one, is_folder in shown]
    return paths if start else [one for one in map(as_argument, paths) if one.startswith(prefix)]
