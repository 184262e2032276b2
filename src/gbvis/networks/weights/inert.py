"""Inert: what a torch file holds beside its tensors, where that only holds data, becomes an object without any.

Training scripts save settings, dates, paths and NumPy's numbers with the weights. gbvis has no use for them: each name
below is answered with a class of our own that takes whatever it is given and does nothing with it.
"""

from collections.abc import Callable
from typing import Any


class Inert:
    """Stands for an object that only holds data."""

    def __new__(cls, *_: object) -> "Inert":
        """Return one, whatever the object was made with."""
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        """Take what the object was made with."""

    def __setstate__(self, state: object) -> None:
        """Take what the object held."""


class InertArray(Inert):
    """Stands for a NumPy array."""


class _PlainDict:
    """Stands for types that are a `dict` with ways of their own to ask for what is in it."""

    def __new__(cls, *_: object) -> dict[Any, Any]:  # type: ignore[misc]
        return {}


def _plain_list(*_: object) -> list[Any]:
    """Stand for `deque`, which is filled as a list is."""
    return []


_NUMPY = ("numpy.core", "numpy._core")
_LIGHTNING = (
    "pytorch_lightning.utilities.parsing",
    "lightning.pytorch.utilities.parsing",
    "lightning_fabric.utilities.data",
    "lightning.fabric.utilities.data",
)
_BUILTINS = ("bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "range", "set", "slice", "str")

_TYPES_OF_DATA = (
    "argparse.Namespace",
    "types.SimpleNamespace",
    "typing.Any",
    *(f"{home}.multiarray.scalar" for home in _NUMPY),
    *(f"numpy.{name}" for name in ("dtype", "ndarray", "bool_", "float32", "float64", "int32", "int64")),
    *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    *(
        f"{home}.{name}"
        for home in ("pathlib", "pathlib._local")
        for name in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")
    ),
    *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "uuid.SafeUUID", "torch.torch_version.TorchVersion"),
    *(f"omegaconf.base.{name}" for name in ("ContainerMetadata", "Metadata")),
    *("omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig"),
    *(f"omegaconf.nodes.{name}Node" for name in ("Any", "Boolean", "Float", "Integer", "Path", "String")),
    *(f"builtins.{name}" for name in _BUILTINS),
)

HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    *((Inert, name) for name in _TYPES_OF_DATA),
    *((InertArray, f"{home}.multiarray._reconstruct") for home in _NUMPY),
    *((InertArray, f"{home}.numeric._frombuffer") for home in _NUMPY),
    *((_PlainDict, f"{home}.AttributeDict") for home in _LIGHTNING),
    (_PlainDict, "collections.defaultdict"),
    (_plain_list, "collections.deque"),
]
"""For `torch.serialization.safe_globals`: what answers to which name."""
