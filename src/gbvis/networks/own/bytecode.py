"""Bytecode: the code of a network that lies in memory, as Python runs it; its file may say something else by now."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from torch import nn

from gbvis.networks.own.structure import describe_value

_OTHERS = frozenset({*sys.stdlib_module_names, "torch", "numpy", "gbvis"}) - {"__main__"}
"""Packages whose code is not looked at."""


def digest_code(module: nn.Module) -> str:
    """Return the SHA-256 of the functions that a network's classes have and call, hexadecimal.

    What a function calls is found by its name among the globals of its module, and in modules that are named there.
    """
    parts = list(module.modules())
    waiting: list[Any] = sorted({kind for part in parts for kind in type(part).__mro__}, key=_name_of)
    waiting += [one for part in parts for one in _own_functions(part)]
    lines: list[str] = []
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or _is_foreign(one):
            continue
        seen.add(id(one))
        if isinstance(one, type):
            waiting += [found for member in vars(one).values() for found in _functions_in(member)]
        else:
            lines.append(f"{_name_of(one)} {_describe_code(one.__code__)} {describe_value(one.__defaults__)}")
            cells = [cell.cell_contents for cell in one.__closure__ or () if _has_contents(cell)]
            waiting += _look_at([*_find_globals(one), *(("a cell", cell) for cell in cells)], lines.append)
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogatepass")).hexdigest()


def _look_at(named: list[tuple[str, Any]], note: Callable[[str], None]) -> list[Any]:
    """Return the functions and classes among values; of others, note what they are."""
    found = [one for _, value in named for one in _functions_in(value)]
    for name, value in named:
        if not (callable(value) or isinstance(value, ModuleType)):
            note(f"{name} = {describe_value(value)}")
    return found


def _own_functions(part: nn.Module) -> Iterator[Any]:
    for value in [*vars(part).values(), *part._forward_hooks.values(), *part._forward_pre_hooks.values()]:
        yield from _functions_in(value)


def _functions_in(value: Any) -> Iterator[Any]:
    """Yield the functions that a member of a class or a global is made of."""
    if isinstance(value, property):
        yield from (one for one in (value.fget,) if isinstance(one, FunctionType))
    value = getattr(value, "__func__", getattr(value, "__wrapped__", value))
    if isinstance(value, FunctionType | type):
        yield value


def _find_globals(function: FunctionType) -> list[tuple[str, Any]]:
    names = sorted(_names_in(function.__code__))
    known = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    modules = [value for _, value in known if isinstance(value, ModuleType) and not _is_foreign(value)]
    return [*known, *((name, vars(one)[name]) for one in modules for name in names if name in vars(one))]


def _names_in(code: CodeType) -> set[str]:
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names, *(name for one in inner for name in _names_in(one))}


def _describe_code(code: CodeType) -> str:
    constants = [_describe_code(one) if isinstance(one, CodeType) else describe_value(one) for one in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _is_foreign(value: Any) -> bool:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
    return str(name).split(".")[0] in _OTHERS


def _has_contents(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a variable that is not there yet
        return False


def _name_of(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
