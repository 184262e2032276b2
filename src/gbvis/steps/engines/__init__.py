"""Engines: where a call's videos are worked on, if not in the process that was called."""

from gbvis.errors import UsageError
from gbvis.registry import Registry
from gbvis.steps.engines.engine import Engine

ENGINES: Registry[type[Engine]] = Registry(
    "engine",
    {
        "processes": "gbvis.steps.engines.processes:Processes",
        "ray": "gbvis.steps.engines.ray_cluster:RayCluster",
    },
)


def find_engine(name: str | None, devices: str | None) -> Engine | None:
    """Return the engine asked for; None where the process that was called does it all.

    Args:
        name: Of an engine; None for processes of this machine, where devices are given.
        devices: As `read_devices` takes them; None for all there are.

    Raises:
        UsageError: There is no such engine or device, or a package that it needs is not installed.
    """
    if name is None and devices is None:
        return None
    return ENGINES.load(name or "processes")(devices)


def check_device(device: str, name: str | None, devices: str | None) -> None:
    """Check that nothing is said of a single device where an engine has its own.

    Raises:
        UsageError: It is.
    """
    if device != "auto" and (name or devices is not None):
        given = f"--devices {devices}" if devices else f"--engine {name}"
        raise UsageError(f"both --device {device} and {given}", "leave --device out: --devices says where to compute")
