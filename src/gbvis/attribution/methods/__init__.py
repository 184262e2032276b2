"""Attribution methods, a file each; another package adds one by the entry point `gbvis.methods`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from gbvis.errors import UsageError
from gbvis.registry import Registry, check_name

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.attribution.method import Method

METHODS: Registry[type[Method]] = Registry(
    "method",
    {
        "guided-backprop": "gbvis.attribution.methods.guided_backprop:GuidedBackprop",
        "gradient": "gbvis.attribution.methods.gradient:Gradient",
        "input-x-gradient": "gbvis.attribution.methods.gradient:InputXGradient",
        "deconvnet": "gbvis.attribution.methods.deconvnet:Deconvnet",
        "smoothgrad": "gbvis.attribution.methods.smoothgrad:SmoothGrad",
        "integrated-gradients": "gbvis.attribution.methods.integrated_gradients:IntegratedGradients",
        "grad-cam": "gbvis.attribution.methods.grad_cam:GradCam",
        "guided-grad-cam": "gbvis.attribution.methods.guided_grad_cam:GuidedGradCam",
        "hirescam": "gbvis.attribution.methods.hirescam:HiResCam",
        "occlusion": "gbvis.attribution.methods.occlusion:Occlusion",
    },
    group="gbvis.methods",
)


def parse_methods(typed: Iterable[str | Method]) -> tuple[Method, ...]:
    """Return methods, or what words mean, each once; `all` means every one; guided back-propagation without any.

    Raises:
        UsageError: One cannot be read.
    """
    typed = list(typed)
    for one in typed:
        if isinstance(one, str) and one.startswith("all:"):
            raise UsageError(f"--method {one} gives settings to all methods", "give them to one of them")
    words = (word for one in typed for word in (METHODS.all_names() if one == "all" else [one]))
    found = dict.fromkeys(parse_method(one) if isinstance(one, str) else one for one in words)
    return tuple(found) or (parse_method(METHODS.names[0]),)


def parse_method(typed: str) -> Method:
    """Return the method that `NAME[:SETTING=VALUE,...]` means; settings are read as the types of its fields.

    Raises:
        UsageError: There is no such method or setting, or a value is none for it.
    """
    method, settings = read_settings(typed)
    try:
        return method(**settings)
    except ValueError as error:  # the method's own check
        raise UsageError(f"--method {typed}: {error}", _describe(method)) from error


def read_settings(typed: str) -> tuple[type[Method], dict[str, Any]]:
    """Return the method that words mean, and the settings that they give, read as the types of its fields.

    Raises:
        UsageError: As `parse_method`.
    """
    name, _, rest = typed.partition(":")
    method = METHODS.load(name)
    types = _find_types(method)
    settings: dict[str, Any] = {}
    for word in filter(None, rest.split(",")):
        setting, sign, value = (part.strip() for part in word.partition("="))
        if not types:
            raise UsageError(f"the method {name} has no settings, and {word!r} is given", f"--method {name}")
        if not sign:
            raise UsageError(f"{word!r} in --method {typed} sets nothing", "write SETTING=VALUE")
        if check_name(f"setting of {name}", types, setting) in settings:
            raise UsageError(f"--method {typed} sets {setting} twice", "set it once")
        try:
            settings[setting] = _read_value(value, types[setting])
        except ValueError as error:
            raise UsageError(f"{word!r} in --method {typed} is no value for it", _describe(method)) from error
    return method, settings


def _find_types(method: type[Method]) -> dict[str, Any]:
    hints = get_type_hints(method)
    return {field.name: hints[field.name] for field in fields(method)}  # type: ignore[arg-type]


def _read_value(value: str, kind: Any) -> Any:
    """Return what is typed as a type.

    Raises:
        ValueError: It is none.
    """
    import msgspec

    if value == "null" and NoneType in get_args(kind):  # which a text could be too
        return None
    read = msgspec.convert(value, type=kind, strict=False)
    if isinstance(read, float) and not math.isfinite(read):
        raise ValueError("not a number")
    return read


def describe_shortly(recipe: Mapping[str, Any]) -> str:
    """Return a method in words as `--method` takes it, with the settings that are not as by default; see `Method`."""
    from gbvis.attribution.recipe import describe_method  # here: it brings NumPy, and `--help` would wait for that

    defaults = _find_defaults(recipe["name"])
    changed = {
        name: value for name, value in recipe["settings"].items() if name not in defaults or value != defaults[name]
    }
    return describe_method({**recipe, "settings": changed})


def describe_asked(recipe: Mapping[str, Any]) -> str:
    """Return a method in words without the settings that are decided for it where nobody does; see `settled`."""
    from gbvis.attribution.recipe import describe_method

    defaults = _find_defaults(recipe["name"])
    kept = {name: value for name, value in recipe["settings"].items() if defaults.get(name, value) is not None}
    return describe_method({**recipe, "settings": kept})


@cache
def _find_defaults(name: str) -> Mapping[str, Any]:
    """Return the settings that a method has by default; none of a method that is not installed any more."""
    with suppress(UsageError):
        return {field.name: field.default for field in fields(METHODS.load(name))}  # type: ignore[arg-type]
    return {}


def _describe(method: type[Method]) -> str:
    """Return a method's settings in words."""
    types = _find_types(method)
    known = []
    for field in fields(method):  # type: ignore[arg-type]
        default = "" if field.default is None else f"={field.default}"
        known.append(f"{field.name}{default} ({_name_type(types[field.name])})")
    return f"settings of {method.name}: {', '.join(known)}"


_TYPES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _name_type(kind: Any) -> str:
    """Return the values of a setting in words: `a whole number`, `mean or squared`."""
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(str, parts))
    if parts:
        return " or ".join(_name_type(part) for part in parts if part is not NoneType)
    return _TYPES.get(kind) or str(kind.__name__)
