"""States: the state dicts in what a file holds, freed of what wraps their names, and the ones that are meant."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.kind import KINDS
from gbvis.networks.weights import NamedTensors

_STREAM_KEYS = {"rgb": "rgb", "flow": "flow", "rgb_state": "rgb", "flow_state": "flow"}
"""Keys that say which stream the state dict below them is for."""

_NO_WEIGHTS = re.compile(r".*(optim|sched|scaler|momentum|exp_avg|grad|rng).*", re.IGNORECASE)
"""Keys of what training keeps beside weights, under the weights' own names."""

_AVERAGED = re.compile(r"(.*[._-])?(ema|shadow)([._-].*)?", re.IGNORECASE)
"""Names of the exponential moving average of the weights."""

_BEST = re.compile(r"(.*[._-])?best([._-].*)?", re.IGNORECASE)
"""Names of the weights of the best epoch, as opposed to the last one."""

_NO_NETWORK = re.compile(r"criterion|loss|\w*_loss|loss_\w+|metrics?|\w*(acc|accuracy|auroc|f1|metrics?|confmat)")
"""First words of the names that losses and metrics have, where a training module saves them with its network."""

_DEEPEST = 12
"""Containers in each other, or words before the network's own names."""

_MOST = 64
"""Networks that are compared with each other; a file of more is refused, or it would take time and memory at will."""

RAW = "raw"
"""How `--state` calls weights that stand beside averaged ones without a word of their own."""


Matches = Callable[[Mapping[str, Any]], bool]
"""Returns whether tensors, by their names, are a network's."""


def _is_known(tensors: Mapping[str, Any]) -> bool:
    return any(kind.match(NamedTensors(Path(), tensors)) for kind in KINDS.load_all().values())


class SeveralNetworks(WeightsError):
    """A file holds several networks, and nothing says which is meant.

    Attributes:
        parts: By their names, what may be networks: no more is known of them than some tensors' names.
    """

    parts: Mapping[str, NamedTensors] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class State:
    """A state dict.

    Attributes:
        name: The keys, and the first words of the tensors' names, that lead to it, with dots between.
        tensors: By the names that they have less what wraps them.
        modality: The stream that a key says it is for, or None.
        fusion_weight: The weight of the stream's scores in the fused scores.
        is_network: Whether some kind of network has such names.
        matches: Tells that.
    """

    name: str
    tensors: Mapping[str, Any]
    modality: str | None = None
    fusion_weight: float = 1.0
    is_network: bool = False
    matches: Matches = _is_known


def find_networks(
    tree: object, path: Path, asked: str | None = None, matches: Matches | None = None
) -> list[NamedTensors]:
    """Return the one or two networks' tensors in a tree of plain containers; none where it holds no tensors.

    Where nothing in it has the names of a network, it is the largest state dict.

    Args:
        tree: What the file holds.
        path: The file.
        asked: The state that the user named, if any.
        matches: What a network is; by default, what some kind knows.

    Raises:
        SeveralNetworks: It holds several, and nothing says which is meant.
        WeightsError: It holds none of the name that is asked for.
    """
    top = State("", {}, matches=matches or _is_known)
    states = [part for state in _walk(tree, path, top, set()) for part in _divide(state)]
    networks = [state for state in states if state.is_network]
    if asked is not None:
        networks = _pick(networks or states, path, asked)
    elif not networks:
        networks = sorted(states, key=lambda state: -len(state.tensors))[:1]
    streams = dict.fromkeys(state.modality for state in networks)
    if None in streams and len(streams) > 1:
        raise _ambiguous(networks, path)
    return [_choose([one for one in networks if one.modality == stream], path) for stream in streams]


def _walk(tree: object, path: Path, above: State, seen: set[int], depth: int = 0) -> Iterator[State]:
    """Yield every mapping that holds tensors itself, each once, however often it stands in the tree."""
    if not isinstance(tree, Mapping) or id(tree) in seen or depth > _DEEPEST:
        return
    seen.add(id(tree))
    named = {key: value for key, value in tree.items() if isinstance(key, str)}
    tensors = {name: value for name, value in named.items() if isinstance(value, Tensor)}
    if tensors:
        yield replace(above, tensors=tensors)
    is_divided = any(isinstance(named.get(key), Mapping) for key in _STREAM_KEYS)
    weights = _read_fusion_weights(named.get("stream_weights"), path) if is_divided else {}
    for key, value in named.items():
        if not _NO_WEIGHTS.fullmatch(key):
            modality = _STREAM_KEYS.get(key, above.modality)
            weight = weights.get(modality or "", above.fusion_weight)
            name = f"{above.name}.{key}" if above.name else key
            below = replace(above, name=name, modality=modality, fusion_weight=weight)
            yield from _walk(value, path, below, seen, depth + 1)


def _divide(state: State, depth: int = 0) -> list[State]:
    """Return the networks in one state dict, freed of the words before their names; else the state dict as it is.

    What lies beside a network, and is no loss or metric, goes with it: it may be the network's head.
    """
    tensors = dict(state.tensors)
    for _ in range(_DEEPEST):
        if state.matches(tensors):
            return _split_off_copies(replace(state, tensors=tensors, is_network=True), depth)
        word = _first_word(next(iter(tensors), ""))
        if not word or not all(name.startswith(f"{word}.") for name in tensors):
            break
        tensors = {name.removeprefix(f"{word}."): tensor for name, tensor in tensors.items()}
    groups = _group(tensors) if depth < _DEEPEST else {}
    found = {word: _networks_in(state, word, group, depth) for word, group in groups.items()}
    beside = {
        f"{word}.{name}": tensor
        for word, group in groups.items()
        for name, tensor in group.items()
        if not found[word] and not _NO_NETWORK.fullmatch(word)
    }
    beside |= {name: tensor for name, tensor in tensors.items() if "." not in name}
    beside = {name: tensor for name, tensor in beside.items() if tensor.ndim}  # counters of updates, decays
    inside = [one for networks in found.values() for one in networks]
    if not 0 < len(inside) <= _MOST or any(name in one.tensors for one in inside for name in beside):
        return [replace(state, tensors=tensors)]
    if len(inside) == 1:
        inside = [replace(inside[0], name=state.name)]
    return [replace(one, tensors={**one.tensors, **beside}) for one in inside]


def _split_off_copies(state: State, depth: int) -> list[State]:
    """Return a network and the copies of it that stand below a first word of their own: `stem.0`, `ema.stem.0`."""
    below = _group(state.tensors) if depth < _DEEPEST else {}
    groups = {word: _networks_in(state, word, group, depth) for word, group in below.items()}
    words = {word for word, networks in groups.items() if networks}
    rest = {name: tensor for name, tensor in state.tensors.items() if _first_word(name) not in words}
    if not words or not state.matches(rest):
        return [state]
    raw = replace(state, name=f"{state.name}.{RAW}" if state.name else RAW, tensors=rest)
    return [raw, *(one for word in words for one in groups[word])]


def _networks_in(state: State, word: str, group: Mapping[str, Tensor], depth: int) -> list[State]:
    name = f"{state.name}.{word}" if state.name else word
    below = replace(state, name=name, tensors=group, is_network=False)
    return [one for one in _divide(below, depth + 1) if one.is_network]


def _group(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return tensors by the first word of their names, where they have several; the word is off the names."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        word, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(word, {})[rest] = tensor
    return groups


def _first_word(name: str) -> str:
    """Return what stands before the first dot of a name; nothing where there is none."""
    word, dot, _ = name.partition(".")
    return word if dot else ""


def _without_twins(states: Sequence[State]) -> list[State]:
    """Return the states less those whose tensors lie in the same memory as an earlier one's; none of them is read."""
    different: dict[object, State] = {}
    for state in states:
        dense = {name: one for name, one in state.tensors.items() if one.layout == torch.strided}
        where = frozenset((name, one.data_ptr(), *one.shape, *one.stride()) for name, one in dense.items())
        different.setdefault((len(state.tensors), where), state)
    return list(different.values())


def _pick(states: Sequence[State], path: Path, asked: str) -> list[State]:
    """Return the states that a name means: all of it, or some words of it that follow each other."""
    exact = [state for state in states if state.name == asked]
    picked = exact or [state for state in states if f".{asked}." in f".{state.name}."]
    if picked and asked:
        return picked
    raise no_such_state(path, asked, [state.name for state in states if state.name])


def no_such_state(path: Path, asked: str, names: Sequence[str] = ()) -> GbvisError:
    """Return the error for a state that is not in the file, where there are those of some names."""
    hint = (
        f"the states in it are {', '.join(names[:8])}"
        if names
        else "none of its networks has a name: leave out --state"
    )
    return WeightsError(f"{path} holds no state {asked!r}", hint)


def _choose(states: Sequence[State], path: Path) -> NamedTensors:
    """Return the one that is meant: averaged weights go before raw ones; which epoch's are meant, a file cannot say."""
    different = _without_last(_without_twins(states))
    if len(different) > _MOST:
        raise _ambiguous(different, path)
    different = _without_copies(different)
    averaged = [state for state in different if _AVERAGED.fullmatch(state.name)]
    best = [state for state in different if _BEST.fullmatch(state.name)]
    chosen = averaged or different
    if len(chosen) != 1 or 0 < len(best) < len(different):
        raise _ambiguous(different if len(different) > 1 else states, path)
    names = [state.name for state in (*chosen, *(one for one in states if one is not chosen[0]))]
    return NamedTensors(
        path,
        chosen[0].tensors,
        chosen[0].modality,
        chosen[0].fusion_weight,
        states=tuple(names) if len(names) > 1 else (),
    )


def _without_last(states: Sequence[State]) -> list[State]:
    """Return the states less the last epoch's where the 2019 script saved it: `state_dict` beside `best.state_dict`."""
    best = (re.fullmatch(r"(.*\.|)best\.state_dict", state.name) for state in states)
    last = {f"{match[1]}state_dict" for match in best if match}
    return [state for state in states if state.name not in last]


def _without_copies(states: Sequence[State]) -> list[State]:
    """Return the states less those whose tensors are equal to an earlier one's."""
    different: list[State] = []
    for state in states:
        if not any(_are_equal(state.tensors, one.tensors) for one in different):
            different.append(state)
    return different


def _are_equal(ones: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    return ones.keys() == others.keys() and all(
        one.dtype == others[name].dtype and one.layout == others[name].layout and torch.equal(one, others[name])
        for name, one in ones.items()
    )


def _ambiguous(states: Sequence[State], path: Path) -> SeveralNetworks:
    found = SeveralNetworks(
        f"{path} holds several networks: {list_states([state.name for state in states])}",
        f"say which is meant: --state {states[0].name}",
    )
    if len(states) <= _MOST:
        found.parts = {one.name: NamedTensors(path, one.tensors, one.modality, one.fusion_weight) for one in states}
    return found


def list_states(names: Sequence[str]) -> str:
    """Return the first names in words."""
    return f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"


def _read_fusion_weights(found: Any, path: Path) -> dict[str, float]:
    """Return how much each stream counts: `found` holds RGB's and flow's weight, by name or in this order."""
    if found is None:
        return {"rgb": 1.0, "flow": 1.0}
    if isinstance(found, str | bytes):
        raise _bad_fusion_weights(found, path)
    try:
        by_name = found if isinstance(found, Mapping) else dict(zip(("rgb", "flow"), found, strict=True))
        weights = {name: float(by_name[name]) for name in ("rgb", "flow")}
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _bad_fusion_weights(found, path) from error
    if not (min(weights.values()) >= 0 and 0 < sum(weights.values()) < math.inf):
        raise _bad_fusion_weights(found, path)
    return weights


def _bad_fusion_weights(found: Any, path: Path) -> GbvisError:
    said = f"{found!r:.80}"
    return WeightsError(f"{path} holds stream_weights {said}", "expected two numbers, RGB's and flow's, not both 0")
