"""ShapesAlone: networks are made, and clips passed through them, where nobody wants numbers.

On the meta device torch works out in Python what random numbers, norms and ReLUs are made of: most of the time that a
network takes there, and none of it changes a shape.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class ShapesAlone(TorchFunctionMode):
    """While it is entered, new layers draw no weights, and norms and ReLUs give back what they are given."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Return what a function of torch is given where it changes its numbers alone; else what it returns."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__ and "tensor" in kwargs:
            return kwargs["tensor"]
        if args and (func is functional.relu or (func is functional.batch_norm and _keeps_shape(*args, **kwargs))):
            return args[0]
        return func(*args, **kwargs)


def _keeps_shape(
    activation: Tensor, mean: Tensor | None, variance: Tensor | None, *_: object, training: bool = False, **__: object
) -> bool:
    """Return whether a norm takes the activation, and changes nothing of its own."""
    channels = activation.shape[1:2]
    return not training and all(one is not None and one.shape == channels for one in (mean, variance))
