"""Building: the user's function is imported and called, and what it returns is made ready to be looked at."""

import hashlib
import inspect
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from gbvis.errors import GbvisError, UsageError
from gbvis.networks.own.sources import Sources, import_file
from gbvis.networks.own.spec import NetworkSpec
from gbvis.registry import suggest

_SEED = 0
"""Set before the function is called: weights that it draws are the same in every process."""

_SIGNALS = 128
"""Codes above it are those of a process that a signal ends."""

DEBUG = "GBVIS_DEBUG=1 shows the whole traceback"


def build_module(spec: NetworkSpec, sources: Sources) -> nn.Module:
    """Return the network that a function builds, on the CPU, in float32 and in evaluation mode.

    Args:
        spec: The function.
        sources: As `imported_afresh` yields it.

    Raises:
        UsageError: There is no such module or function, it fails, or it returns something else.
    """
    function = _find_function(spec, _import(spec, sources))
    try:
        with _seeded(), kept_running():
            made = function()
    except GbvisError:
        raise
    except Exception as error:  # whatever the user's code does
        raise UsageError(f"{spec.name} fails: {describe(error)}", f"look into the function; {DEBUG}") from error
    if not isinstance(made, nn.Module):
        raise UsageError(
            f"{spec.name} returns {_describe_type(made)}, and a torch.nn.Module is expected",
            "return the network itself; weights that it does not set go into it with -w",
        )
    return prepare(made, spec.name)


def prepare(module: nn.Module, name: str) -> nn.Module:
    """Return a network freed of what wraps it, on the CPU, in float32 and in evaluation mode; it is changed.

    Raises:
        UsageError: It is a scripted module, has no parameters, or some of no size yet.
    """
    while isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel) or hasattr(module, "_orig_mod"):
        inner = module.module if hasattr(module, "module") else module._orig_mod
        assert isinstance(inner, nn.Module)
        module = inner
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError(f"{name} is a scripted module, whose parts cannot be seen", "give the module as it is written")
    if any(isinstance(one, UninitializedParameter) for one in module.parameters()):
        raise UsageError(
            f"{name} has parameters of no size yet (lazy modules)", "pass one clip through it before it is returned"
        )
    if not any(one.is_floating_point() for one in module.parameters()):
        raise UsageError(f"{name} has no parameters", "return the network that is to be explained")
    return module.cpu().float().eval().requires_grad_(False)


def note_classes(module: nn.Module, spec: NetworkSpec, sources: Sources) -> None:
    """Note the installed files that the network's classes are in, torch's not: their code decides numbers too."""
    classes = {kind for part in module.modules() for kind in type(part).__mro__ if issubclass(kind, nn.Module)}
    names = {kind.__module__ for kind in classes} | ({spec.place} if not spec.is_file else set())
    for name in sorted(names):
        file = getattr(sys.modules.get(name), "__file__", None)
        if name.split(".")[0] != "torch" and isinstance(file, str) and file.endswith(".py"):
            sources.note_file(name, file)


def _import(spec: NetworkSpec, sources: Sources) -> ModuleType:
    try:
        with kept_running():
            if not spec.is_file:
                return import_module(spec.place)
            unique = hashlib.sha256(spec.place.encode(errors="surrogateescape")).hexdigest()[:12]
            module = import_file(f"network_{unique}", spec.place, sources)
        sources.digests[spec.name.rpartition(":")[0]] = sources.digests.pop(module.__name__)
        return module
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and spec.place.startswith(missing) and not spec.is_file:
            raise UsageError(
                f"no module {missing} for --network {spec}",
                f"it is looked for in {spec.folder} and where Python looks; a file is named by its path, nets.py:build",
            ) from error
        hint = f"look into the file; {DEBUG}"
        if "relative import" in str(error):
            hint = "name it as a module with its packages, from the folder above: package.nets:build"
        raise UsageError(f"cannot import {spec.place}: {describe(error)}", hint) from error


def _find_function(spec: NetworkSpec, module: ModuleType) -> Any:
    found: Any = module
    for word in spec.function.split("."):
        if not hasattr(found, word):
            own = [name for name, one in vars(found).items() if callable(one) and not name.startswith("_")]
            known = [name for name in own if getattr(vars(found)[name], "__module__", None) == module.__name__]
            raise UsageError(
                f"{spec.place} has no function {spec.function}",
                f"{suggest(spec.function, known)}it has {', '.join(known[:8]) or 'no functions'}",
            )
        found = getattr(found, word)
    if isinstance(found, nn.Module) or not callable(found):
        what = "a network" if isinstance(found, nn.Module) else _describe_type(found)
        raise UsageError(
            f"{spec.name} is {what}, and a function is expected that builds one", "define a function that returns it"
        )
    required = [one.name for one in _parameters_of(found) if one.default is one.empty]
    if required:
        raise UsageError(
            f"{spec.name} needs {', '.join(required)}, and gbvis calls it without arguments",
            "write a function without parameters that calls it",
        )
    return found


def _parameters_of(function: Any) -> list[inspect.Parameter]:
    """Return the parameters that have to be given; none where Python does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


@contextmanager
def kept_running() -> Iterator[None]:
    """Do not let the user's code end the process, while the context lasts.

    Raises:
        RuntimeError: It calls `sys.exit`.
    """
    try:
        yield
    except SystemExit as error:
        if isinstance(error.code, int) and error.code > _SIGNALS:  # a signal ends the call
            raise
        raise RuntimeError(f"it ends Python with sys.exit({error.code!r})") from error


@contextmanager
def _seeded() -> Iterator[None]:
    """Have random numbers begin at the same place each time, while the context lasts."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(_SEED)
        np.random.seed(_SEED)
        torch.manual_seed(_SEED)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def describe(error: BaseException) -> str:
    """Return an exception in one line."""
    said = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {said:.200}" if said else type(error).__name__


def _describe_type(value: object) -> str:
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
