"""Tests of attributions, a file each; another package adds one by the entry point `gbvis.checks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gbvis.attribution import settings
from gbvis.errors import UsageError
from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.attribution.checks.check import Check

BASELINES = ("edges", "motion", "center", "random")
"""Attributions that know nothing of the network; see `uninformed`."""

CHECKS: Registry[type[Check]] = Registry(
    "test",
    {
        "randomisation": "gbvis.attribution.checks.randomisation:Randomisation",
        "smooth-randomisation": "gbvis.attribution.checks.smooth_randomisation:SmoothRandomisation",
        "efficient-randomisation": "gbvis.attribution.checks.efficient_randomisation:EfficientRandomisation",
        "random-logit": "gbvis.attribution.checks.random_logit:RandomLogit",
        "deletion": "gbvis.attribution.checks.deletion:Deletion",
        "insertion": "gbvis.attribution.checks.deletion:Insertion",
        "pointing": "gbvis.attribution.checks.pointing:Pointing",
        "mass": "gbvis.attribution.checks.mass:Mass",
        "infidelity": "gbvis.attribution.checks.infidelity:Infidelity",
        "sensitivity": "gbvis.attribution.checks.sensitivity:Sensitivity",
        "time": "gbvis.attribution.checks.needs_time:NeedsTime",
    },
    group="gbvis.checks",
)
"""In the order in which `gbvis check` runs them where none is named."""


def parse_checks(typed: Iterable[str | Check]) -> tuple[Check, ...]:
    """Return tests, or what words mean, each once; `all`, or none at all, means every one with its default settings.

    Raises:
        UsageError: One cannot be read.
    """
    typed = list(typed) or ["all"]
    for one in typed:
        if isinstance(one, str) and one.startswith("all:"):
            raise UsageError(f"--test {one} gives settings to all tests", "give them to one of them")
    words = (word for one in typed for word in (CHECKS.all_names() if one == "all" else [one]))
    return tuple(dict.fromkeys(parse_check(one) if isinstance(one, str) else one for one in words))


def describe_shortly(recipe: Mapping[str, Any]) -> str:
    """Return a test in words as `--test` takes it, with the settings that are not as by default."""
    from gbvis.attribution.recipe import describe_method  # here: it brings NumPy, and `--help` would wait for that

    defaults = settings.find_defaults(CHECKS, recipe["name"])
    given = recipe["settings"].items()
    changed = {name: value for name, value in given if name not in defaults or value != defaults[name]}
    return describe_method({**recipe, "settings": changed})


def parse_check(typed: str) -> Check:
    """Return the test that `NAME[:SETTING=VALUE,...]` means; settings are read as the types of its fields.

    Raises:
        UsageError: There is no such test or setting, or a value is none for it.
    """
    return settings.parse_part(CHECKS, typed)
