"""Structure: all of a network but its state dict that decides what it computes, as lines of text to digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Set
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_INTERNAL = frozenset(vars(nn.Module()))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_DEEPEST = 4
"""Containers in each other that are looked into."""


def digest_structure(module: nn.Module) -> str:
    """Return the SHA-256 of a network's modules and their settings, hexadecimal; parameters are not looked at.

    It covers more than `repr(module)` says: plain attributes, tensors that are in no state dict, and hooks.
    """
    digest = hashlib.sha256()
    for name, part in module.named_modules(remove_duplicate=False):
        for line in _describe_part(part):
            digest.update(f"{name} {line}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _describe_part(part: nn.Module) -> Iterator[str]:
    shown = "a program" if isinstance(part, torch.jit.ScriptModule) else part.extra_repr()
    yield f"{_name(type(part))} {_without_addresses(shown)}"
    for name in sorted(vars(part).keys() - _INTERNAL):
        yield f"{name} = {describe_value(vars(part)[name])}"
    for name in sorted(part._non_persistent_buffers_set):
        yield f"{name} = {describe_value(part._buffers.get(name))}"
    for hooks in _HOOKS:
        yield from (f"{hooks} {describe_value(hook)}" for hook in getattr(part, hooks).values())


def describe_value(value: Any, depth: int = 0) -> str:
    """Return a setting as text: equal for equal ones in every process."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | torch.dtype | torch.device):
        return repr(value)
    if isinstance(value, Tensor | np.ndarray):
        return _describe_numbers(value)
    if isinstance(value, partial):
        return f"{describe_value(value.func)} {describe_value([value.args, value.keywords], depth)}"
    if callable(value) and hasattr(value, "__qualname__"):
        return _name(value)
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return str(sorted((describe_value(key), describe_value(one, depth + 1)) for key, one in value.items()))
        if isinstance(value, list | tuple | Set):
            parts = [describe_value(one, depth + 1) for one in value]
            return str(sorted(parts) if isinstance(value, Set) else parts)
        if hasattr(value, "__dict__") and not isinstance(value, nn.Module):
            return f"{_name(type(value))} {describe_value(vars(value), depth + 1)}"
    return _name(type(value))


def _describe_numbers(value: Any) -> str:
    if isinstance(value, Tensor):
        if value.is_meta or value.layout != torch.strided:
            return f"{value.dtype} {list(value.shape)} {value.layout}"
        value = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    return f"{value.dtype} {list(value.shape)} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{value.__qualname__}"


def _without_addresses(text: str) -> str:
    return re.sub(" at 0x[0-9a-fA-F]+", "", text)
