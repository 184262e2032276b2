"""Sources: the user's own files are imported as they are now, and what was read is known to the byte.

A network's identity covers the code that it was built from: changed code must never find old numbers. So nothing that
this process imported before is used, nor bytecode that an earlier process left, which may be older than the file.
"""

import hashlib
import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_INSTALLED = ("site-packages", "dist-packages")
_PYTHON = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
_OURS = f"{Path(__file__).parents[2]}{os.sep}"


class Sources:
    """What was read of the user's own files.

    Attributes:
        digests: By a module's name, or a file's, the SHA-256 of its text, hexadecimal.
    """

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}

    def note(self, name: str, data: bytes) -> None:
        """Note the text that a module was made of."""
        self.digests[name] = hashlib.sha256(data).hexdigest()

    def note_file(self, name: str, path: str) -> None:
        """Note the text of an installed file, unless it is known."""
        if name not in self.digests:
            self.note(name, Path(path).read_bytes())

    @property
    def digest(self) -> str:
        """The SHA-256 of all of it, hexadecimal; where the files lie has no part in it."""
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


class _Loader(SourceFileLoader):
    """Makes a module of its text, and notes it."""

    def __init__(self, name: str, path: str, sources: Sources) -> None:
        super().__init__(name, path)
        self._sources = sources

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code, compiled now."""
        data = self.get_data(self.path)
        self._sources.note(fullname, data)
        return self.source_to_code(data, self.path)


class _Finder:
    """Finds the user's own modules for `_Loader`, and leaves all others to Python."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of the user's own is; None for another one."""
        found = PathFinder.find_spec(name, path, target)
        if found is None or not isinstance(found.loader, SourceFileLoader) or not is_own(found.origin):
            return None
        found.loader = _Loader(name, str(found.origin), self._sources)
        return found


def is_own(path: Any) -> bool:
    """Return whether a source file is the user's own: no part of Python, of an installed package or of gbvis."""
    if not isinstance(path, str) or not path.endswith(".py") or path.startswith(_OURS):
        return False
    parts = Path(path).parts
    return not path.startswith(_PYTHON) and not any(part in parts for part in _INSTALLED)


@contextmanager
def imported_afresh(folder: Path) -> Iterator[Sources]:
    """Import the user's own modules from their files, while the context lasts; then this process is as it was.

    Args:
        folder: What can be imported from, beside what can be anyway.
    """
    loaded = list(sys.modules.items())  # other threads import too
    before = {name: one for name, one in loaded if name != "__main__" and is_own(_file_of(one))}
    path, sources = list(sys.path), Sources()
    finder = _Finder(sources)
    for name in before:
        sys.modules.pop(name, None)
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    try:
        yield sources
    finally:
        sys.meta_path.remove(finder)
        sys.path[:] = path
        sys.modules.update(before)


def _file_of(module: Any) -> Any:
    return getattr(module, "__dict__", {}).get("__file__")  # asking a lazy module itself would import it


def import_file(name: str, path: str, sources: Sources) -> ModuleType:
    """Return the module that a file makes, under a name of its own.

    Raises:
        Exception: Whatever its code does.
    """
    loader = _Loader(name, path, sources)
    module = ModuleType(name)
    module.__file__, module.__loader__ = path, loader
    module.__spec__ = ModuleSpec(name, loader, origin=path)
    sys.modules[name] = module
    code = loader.get_code(name)
    assert code is not None
    exec(code, module.__dict__)
    return module
