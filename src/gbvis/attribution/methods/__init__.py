"""Attribution methods, a file each; another package adds one by the entry point `gbvis.methods`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from gbvis.attribution import settings
from gbvis.errors import UsageError
from gbvis.registry import Registry

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
    return settings.parse_part(METHODS, typed)


def read_settings(typed: str) -> tuple[type[Method], dict[str, Any]]:
    """Return the method that words mean, and the settings that they give, read as the types of its fields.

    Raises:
        UsageError: As `parse_method`.
    """
    return settings.read_settings(METHODS, typed)


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
    return settings.find_defaults(METHODS, name)
