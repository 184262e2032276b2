"""Attribution methods, a file each; another package adds one by the entry point `gbvis.methods`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
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
        "grad-cam": "gbvis.attribution.methods.grad_cam:GradCam",
        "guided-grad-cam": "gbvis.attribution.methods.guided_grad_cam:GuidedGradCam",
        "hirescam": "gbvis.attribution.methods.hirescam:HiResCam",
    },
    group="gbvis.methods",
)


def parse_method(typed: str) -> Method:
    """Return the method that `NAME[:SETTING=VALUE,...]` means; settings are read as the types of its fields.

    Raises:
        UsageError: There is no such method or setting, or a value is none for it.
    """
    name, _, rest = typed.partition(":")
    method = METHODS.load(name)
    hints = get_type_hints(method)
    types = {field.name: hints[field.name] for field in fields(method)}  # type: ignore[arg-type]
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
            raise UsageError(f"{word!r} in --method {typed} is no value for it", _describe(method, types)) from error
    try:
        return method(**settings)
    except ValueError as error:  # the method's own check
        raise UsageError(f"--method {typed}: {error}", _describe(method, types)) from error


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


def _describe(method: type[Method], types: Mapping[str, Any]) -> str:
    """Return a method's settings in words."""
    kinds = {
        name: " or ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else getattr(kind, "__name__", kind)
        for name, kind in types.items()
    }
    known = (f"{field.name}={field.default} ({kinds[field.name]})" for field in fields(method))  # type: ignore[arg-type]
    return f"settings of {method.name}: {', '.join(known)}"
