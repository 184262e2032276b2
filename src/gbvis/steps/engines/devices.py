"""Devices of a call: one worker on each GPU, or several on the CPU that share its cores."""

import re
from collections import Counter
from dataclasses import dataclass

from gbvis.errors import UsageError
from gbvis.flow.preprocess import Cores

_HINT = "give all, or devices with commas between, such as cuda:0,cuda:1 or cpu:4x2 (4 workers of 2 threads)"

_MOST_WORKERS = 1024


@dataclass(frozen=True)
class Slot:
    """Where one worker computes.

    Attributes:
        device: As `WeightsRequest.device`.
        threads: How many threads it may use of the CPU's.
    """

    device: str
    threads: int


def read_devices(text: str) -> tuple[Slot, ...]:
    """Return where workers compute, one slot for each.

    Args:
        text: `all`: every GPU, or without one a worker for each core. Else devices with commas between: `cuda:K`,
            `mps`, `cpu:N` (N workers that share the cores), `cpu:NxT` (of T threads each).

    Raises:
        UsageError: A device is unknown, named twice, or not there.
    """
    cores = Cores.count()
    names = _list_all(cores) if text.strip() == "all" else [one.strip() for one in text.split(",")]
    slots: list[Slot] = []
    for name in names:
        match = re.fullmatch(r"cuda:([0-9]{1,4})|mps|cpu:([0-9]{1,4})(?:x([0-9]{1,4}))?", name)
        if match is None:
            raise UsageError(f"--devices {text}: unknown device {name!r}", _HINT)
        count = int(match[2] or 1)
        threads = int(match[3]) if match[3] else max(1, cores // max(count if match[2] else len(names), 1))
        if not (1 <= count <= _MOST_WORKERS and threads):
            raise UsageError(f"--devices {text}: {name} is no worker, or one without a thread", _HINT)
        slots += [Slot(name.partition(":")[0] if match[2] else name, threads)] * count
    _check_devices(text, names)
    return tuple(slots)


def _list_all(cores: int) -> list[str]:
    from gbvis.networks.network import list_gpus

    return list_gpus() or [f"cpu:{cores}x1"]


def _check_devices(text: str, names: list[str]) -> None:
    kinds = [name.partition(":")[0] if name.startswith("cpu") else re.sub(":0+(?=.)", ":", name) for name in names]
    twice = next((name for name, count in Counter(kinds).items() if count > 1), None)
    if twice:
        raise UsageError(f"--devices {text}: {twice} is named twice", "name each device once")
    gpus = [name for name in names if not name.startswith("cpu")]
    if gpus:
        from gbvis.networks.network import find_device

        for name in gpus:
            find_device(name, "give --devices all for what there is, or workers of the CPU, such as cpu:4x2")
