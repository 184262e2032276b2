"""Settings: parts whose fields are their settings, read from `NAME:SETTING=VALUE,...`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from gbvis.errors import UsageError
from gbvis.records import read_record
from gbvis.registry import check_name

if TYPE_CHECKING:
    from gbvis.registry import Registry

Part = TypeVar("Part")


def parse_part(registry: Registry[type[Part]], typed: str) -> Part:
    """Return the part that `NAME[:SETTING=VALUE,...]` means; settings are read as the types of its fields.

    Args:
        registry: The parts; its `kind` is also the name of the option, as in `--method`.
        typed: What the user gives.

    Raises:
        UsageError: There is no such part or setting, or a value is none for it.
    """
    part, settings = read_settings(registry, typed)
    try:
        return part(**settings)
    except ValueError as error:  # the part's own check
        raise UsageError(f"--{registry.kind} {typed}: {error}", describe_settings(typed, part)) from error


def read_settings(registry: Registry[type[Part]], typed: str) -> tuple[type[Part], dict[str, Any]]:
    """Return the part that words mean, and the settings that they give, read as the types of its fields.

    Raises:
        UsageError: As `parse_part`.
    """
    option = f"--{registry.kind}"
    name, _, rest = typed.partition(":")
    part = registry.load(name)
    types = _find_types(part)
    settings: dict[str, Any] = {}
    for word in filter(None, rest.split(",")):
        setting, sign, value = (piece.strip() for piece in word.partition("="))
        if not types:
            problem = f"the {registry.kind} {name} has no settings, and {word!r} is given"
            raise UsageError(problem, f"{option} {name}")
        if not sign:
            raise UsageError(f"{word!r} in {option} {typed} sets nothing", "write SETTING=VALUE")
        if check_name(f"setting of {name}", types, setting) in settings:
            raise UsageError(f"{option} {typed} sets {setting} twice", "set it once")
        try:
            settings[setting] = _read_value(value, types[setting])
        except ValueError as error:
            problem = f"{word!r} in {option} {typed} is no value for it"
            raise UsageError(problem, describe_settings(name, part)) from error
    return part, settings


def _find_types(part: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(part)
    return {field.name: hints[field.name] for field in fields(part)}


def _read_value(value: str, kind: Any) -> Any:
    """Return what is typed as a type.

    Raises:
        ValueError: It is none.
    """
    if value == "null" and NoneType in get_args(kind):  # which a text could be too
        return None
    read = read_record(value, kind, strict=False)
    if isinstance(read, float) and not math.isfinite(read):
        raise ValueError("not a number")
    return read


def find_defaults(registry: Registry[type[Part]], name: str) -> Mapping[str, Any]:
    """Return the settings that a part has by default; none of a part that is not installed any more."""
    with suppress(UsageError):
        return {field.name: field.default for field in fields(registry.load(name))}  # type: ignore[arg-type]
    return {}


def describe_settings(typed: str, part: type[Any]) -> str:
    """Return a part's settings in words, with their defaults and types."""
    types = _find_types(part)
    known = []
    for field in fields(part):
        default = "" if field.default is None else f"={field.default}"
        known.append(f"{field.name}{default} ({_name_type(types[field.name])})")
    return f"settings of {typed.partition(':')[0]}: {', '.join(known)}"


_TYPES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _name_type(kind: Any) -> str:
    """Return the values of a setting in words: `a whole number`, `mean or squared`."""
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(str, parts))
    if parts:
        return " or ".join(_name_type(part) for part in parts if part is not NoneType)
    return _TYPES.get(kind) or str(kind.__name__)
