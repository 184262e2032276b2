"""Registries: interchangeable parts by name, imported when they are first asked for; other packages add to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from gbvis.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


Part = TypeVar("Part")


class Registry(Generic[Part]):
    """Interchangeable parts by name, each imported when it is first asked for; other packages may add to them.

    Attributes:
        kind: What one of them is called in messages.
        names: Those that come with gbvis.
    """

    def __init__(self, kind: str, parts: Mapping[str, str], group: str | None = None) -> None:
        """Name the parts.

        Args:
            kind: What one of them is called in messages.
            parts: Per name its place: a module, or `module:attribute`.
            group: The entry points by which other packages add parts, if they may.
        """
        self.kind, self.names = kind, tuple(parts)
        self._places, self._group = dict(parts), group
        self._loaded: dict[str, Part] = {}

    def places(self) -> tuple[str, ...]:
        """Return where the parts are that come with gbvis: a module, or `module:attribute`."""
        return tuple(self._places.values())

    def all_names(self) -> tuple[str, ...]:
        """Return the names of all parts, those of other packages last. Looking for these takes some milliseconds."""
        return (*self.names, *(name for name in self._entry_points if name not in self._places))

    def check(self, name: str) -> str:
        """Return `name` if there is such a part.

        Raises:
            UsageError: There is none.
        """
        return name if name in self._places else check_name(self.kind, self.all_names(), name)

    def load(self, name: str) -> Part:
        """Return the part of that name.

        Raises:
            UsageError: There is none, or the package that brings it is broken.
        """
        if self.check(name) not in self._loaded:
            self._loaded[name] = self._import(name)
        return self._loaded[name]

    def load_all(self) -> dict[str, Part]:
        """Return all parts by name.

        Raises:
            GbvisError: As `load`.
        """
        return {name: self.load(name) for name in self.all_names()}

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._group is None:
            return {}
        from importlib.metadata import entry_points

        return {point.name: point for point in entry_points(group=self._group)}

    def _import(self, name: str) -> Part:
        if name in self._places:
            module, _, attribute = self._places[name].partition(":")
            part = import_module(module)
            return cast(Part, getattr(part, attribute) if attribute else part)
        point = self._entry_points[name]
        try:
            return cast(Part, point.load())
        except Exception as error:  # whatever another package's code does
            package = point.dist.name if point.dist else point.value
            raise UsageError(
                f"the {self.kind} {name} of the package {package} cannot be loaded: {type(error).__name__}: {error}",
                "update that package, or uninstall it",
            ) from error


def check_name(kind: str, known: Collection[str], name: str) -> str:
    """Return `name` if it is known; `kind` says in the error what it should name.

    Raises:
        UsageError: It is not.
    """
    if name not in known:
        raise UsageError(f"unknown {kind} {name!r}", f"{suggest(name, known)}known: {', '.join(known)}")
    return name


def suggest(name: str, known: Collection[str]) -> str:
    """Return `did you mean NAME? ` where one of the names known is much like this one; else nothing."""
    import difflib  # here: it takes some milliseconds

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}? " if near else ""
