"""Network: an R(2+1)D with its input format, labels and endpoints."""

import ctypes
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gbvis.card import WeightsCard
from gbvis.clip import ClipPixels, normalise
from gbvis.endpoint import Endpoint, Responses
from gbvis.errors import GbvisError
from gbvis.folding import fold
from gbvis.r2plus1d import R2Plus1D

ShapeWatcher = Callable[[Endpoint, tuple[int, ...]], None]
"""Called with every endpoint and the shape of its activation as the forward pass reaches it."""


class Network:
    """A network that can be run on clips; its parameters never ask for gradients.

    Attributes:
        module: The R(2+1)D as its file has it, in evaluation mode; it is not what runs.
        card: What is known of it without its weights.
    """

    def __init__(self, module: R2Plus1D, card: WeightsCard) -> None:
        self.module = module.eval().requires_grad_(False)
        self.card = card
        self.device = torch.device("cpu")
        self.precision = "float32"
        self._running: R2Plus1D | None = None

    @property
    def running(self) -> R2Plus1D:
        """The R(2+1)D that runs, on the device and in the precision of `use`: folded when it is first wanted."""
        if self._running is None:
            dtype = torch.bfloat16 if self.precision == "bfloat16" else self.module.classifier.weight.dtype
            self._running = fold(self.module, self.device, dtype)
            _keep_memory()
        return self._running

    def use(self, device: torch.device, precision: str) -> "Network":
        """Move the network to `device`, to compute there in `precision`, and return it.

        Raises:
            GbvisError: The device cannot compute in this precision (exit code 2).
        """
        if precision == "tf32" and device.type != "cuda":
            raise GbvisError(
                f"precision tf32 needs a CUDA device, and this runs on {device.type}",
                "use --precision float32 or bfloat16",
                exit_code=2,
            )
        if (device, precision) != (self.device, self.precision):
            self.device, self.precision, self._running = device, precision, None
        return self

    def input_of(self, pixels: ClipPixels) -> Tensor:
        """Return a clip as the network takes it: float32 (1, C, T, H, W), or (1, 1, 2T, H, W) where interleaved."""
        clip = torch.from_numpy(normalise(pixels, self.card.clip_format)).to(self.device)
        if self.card.interleaved:  # u1, v1, u2, v2, ... along time
            clip = clip.transpose(0, 1).flatten(0, 1)[None]
        return clip[None]

    def gradient_of(self, input_gradient: Tensor) -> NDArray[np.float32]:
        """Return a gradient with respect to `input_of`'s result as float32 (C, T, H, W) in line with the pixels."""
        gradient = input_gradient[0].float()
        if self.card.interleaved:
            gradient = gradient.reshape(-1, self.card.clip_format.channels, *gradient.shape[2:]).transpose(0, 1)
        return gradient.contiguous().cpu().numpy()

    def respond(
        self, clip: Tensor, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None
    ) -> dict[Endpoint, Tensor]:
        """Return the value of every target at `endpoints`, from one forward pass that goes no further than needed.

        Args:
            clip: As `input_of` returns it.
            endpoints: At least one.
            watch: Told the shapes on the way.

        Returns:
            Per endpoint float32 (targets,): sum over t, h, w of abs(activation) at the convolutions.
        """
        responses: dict[Endpoint, Tensor] = {}
        dtype = next(self.running.buffers()).dtype
        for endpoint, activation in self.running.endpoints(clip.to(dtype, memory_format=torch.channels_last_3d)):
            if watch:
                watch(endpoint, tuple(activation.shape))
            if endpoint in endpoints:
                values = activation[0].to(clip.dtype)
                responses[endpoint] = values.abs().sum((1, 2, 3)) if values.ndim == 4 else values
            if len(responses) == len(endpoints):
                break
        return responses

    @torch.no_grad()
    def measure(
        self, pixels: ClipPixels, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None
    ) -> Responses:
        """Return the responses of a clip as arrays: per endpoint float32 (targets,)."""
        responses = self.respond(self.input_of(pixels), endpoints, watch)
        return {endpoint: values.cpu().numpy() for endpoint, values in responses.items()}

    def circumstances(self) -> dict[str, object]:
        """Return what does not decide the numbers and is worth recording beside them."""
        return {"torch": torch.__version__, "device": str(self.device), "threads": torch.get_num_threads()}

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Set PyTorch to this network's precision, and back again at the end."""
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = matmul.allow_tf32, cudnn.allow_tf32
        try:
            # torch turns TF32 on for convolutions by itself: off by 2-3 % of the maximum, so only when asked for
            matmul.allow_tf32 = cudnn.allow_tf32 = self.precision == "tf32"
            yield
        except (MemoryError, RuntimeError) as error:
            is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
            if not is_memory:
                raise
            raise GbvisError(
                f"not enough memory on {self.device} for this clip", "take fewer frames with -n, or another --device"
            ) from error
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`, as malloc.h numbers them."""


def _keep_memory() -> None:
    """Have the C library keep the memory of one clip for the next.

    glibc takes blocks as large as an activation from the system and gives them back each time, and the system clears
    every page anew: 4 % of a gradient, and more where memory is slow. Elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 32 << 20)  # the largest it takes: 144 channels of 16 frames are below it
        library.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def find_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is a GPU where there is one.

    Raises:
        GbvisError: The machine has no such device (exit code 2).
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    device = torch.device(name)
    count = {"cpu": 1, "mps": int(has_mps)}.get(device.type, torch.cuda.device_count())
    if (device.index or 0) >= count:
        raise GbvisError(f"this machine has no device {name}", "use --device auto or cpu", exit_code=2)
    return device
