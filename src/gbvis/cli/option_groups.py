"""Options in groups: a command takes a group as one parameter, and its fields are the options that are typed."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, wraps
from typing import Any, get_type_hints

import typer


def switch(*names: str, text: str) -> Any:
    """Return an option without a value."""
    return typer.Option(*names, help=text)


def option(*names: str, metavar: str, text: str, **settings: Any) -> Any:
    """Return an option with a value."""
    return typer.Option(*names, metavar=metavar, help=text, **settings)


def unfold(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command each of whose parameters that is a group of options is replaced by the group's fields."""
    taken = inspect.signature(command).parameters
    groups: dict[str, Any] = {name: one.annotation for name, one in taken.items() if is_dataclass(one.annotation)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in taken.items():
        parameters += _unfold_group(groups[name]) if name in groups else [parameter]

    @wraps(command)
    def unfolded(**typed: Any) -> int:
        made = {
            name: group(**{field.name: typed.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**typed, **made)

    by_default = sorted(parameters, key=lambda one: one.default is not inspect.Parameter.empty)
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in by_default]
    unfolded.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    unfolded.__annotations__ = {one.name: one.annotation for one in keywords}
    return unfolded


@cache
def _unfold_group(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(one.name, kind, default=_default_of(one), annotation=hints[one.name]) for one in fields(group)
    ]


def _default_of(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
