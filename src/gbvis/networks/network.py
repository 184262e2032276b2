"""Network: a network with its input format, its labels and its endpoints, on a device and in a precision."""

import ctypes
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from gbvis.errors import UsageError
from gbvis.networks.batches import Batches, CudaMemory, telling_memory
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.grid import Grid, Place
from gbvis.networks.identity import identify
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import NetworkKind
from gbvis.networks.registration import make_noise, measure_start
from gbvis.networks.softmax import is_softmax_of, softmax
from gbvis.networks.transfer import HostCopy, copy_to_device
from gbvis.videos.clip import ClipPixels, Inputs, normalise

ShapeWatcher = Callable[[Endpoint, tuple[int, ...]], None]
"""Called with every endpoint and the shape of its activation as the forward pass reaches it."""

Visitor = Callable[[Endpoint, Tensor], None]
"""Called with every endpoint and its activation as the forward pass reaches it."""


class Network:
    """A network that runs on clips. Its parameters never require gradients.

    Attributes:
        info: What is known of it without its weights.
        kind: What kind of network it is.
        device: Where it computes; the CPU until `to` says otherwise.
        precision: `float32`, `tf32` or `bfloat16`.
        starts: What `grid` has measured, by `WeightsInfo.start_key`.
        allows_unguided: Methods with a rule for ReLUs may be used though it does not reach every activation.
    """

    def __init__(self, module: "nn.Module | Callable[[], Network]", info: WeightsInfo, kind: NetworkKind) -> None:
        """Name the parts.

        Args:
            module: The plain network; or what loads it from its file when somebody asks, where `take_fused` follows.
            info: What is known of it.
            kind: Its kind.
        """
        self._module = module.eval().requires_grad_(False) if isinstance(module, nn.Module) else None
        self._load = None if isinstance(module, nn.Module) else module
        self.info, self.kind = info, kind
        self.device = torch.device("cpu")
        self.precision = "float32"
        self._fused: nn.Module | None = None
        self.starts: dict[str, Place] = {}
        self.allows_unguided = False

    @property
    def module(self) -> nn.Module:
        """The plain network, in evaluation mode. What runs is `fused`."""
        if self._module is None:
            assert self._load is not None
            self._module = self._load().module
        return self._module

    @property
    def is_changed(self) -> bool:
        """Whether the plain network has other tensors than when it was loaded, or what its kind sees has changed."""
        if self._module is None:
            return False
        is_rebuilt = self.kind.is_rebuilt(self._module, self.info)
        return is_rebuilt or identify(self._module, self.info) != self.info.identity

    @property
    def fused(self) -> nn.Module:
        """The network that runs, on the device and in the precision of `to`; made when it is first used."""
        if self._fused is None:
            self.take_fused(self.kind.fuse(self.module, self.device, self.dtype))
        assert self._fused is not None
        return self._fused

    def take_fused(self, fused: nn.Module) -> None:
        """Run in this form, which was made for the device and the precision of `to`."""
        self._fused = fused
        if self.info.parameters > _MANY_PARAMETERS:
            _keep_memory()

    @property
    def dtype(self) -> torch.dtype:
        """What convolutions are computed in."""
        if self.precision == "bfloat16":
            return torch.bfloat16
        # a plain network that is not loaded has a kept form, and only those of float32 are kept
        return torch.float32 if self._module is None else next(self._module.parameters()).dtype

    def to(self, device: torch.device, precision: str) -> "Network":
        """Move the network to `device`, to compute there in `precision`, and return it.

        Raises:
            UsageError: The device cannot compute in this precision.
        """
        if precision == "tf32" and device.type != "cuda":
            raise UsageError(
                f"precision tf32 needs a CUDA device, and this runs on {device.type}",
                "use --precision float32 or bfloat16",
            )
        if (device, precision) != (self.device, self.precision):
            self.device, self.precision, self._fused = device, precision, None
        return self

    def batches(self, clip_count: int, say: Callable[[str], None] = lambda line: None) -> Batches:
        """Return which of `clip_count` clips to compute together; `say` is told when memory ran out."""
        memory = CudaMemory(self.device) if self.device.type == "cuda" else None
        return Batches(clip_count, memory, say)

    def preprocess(self, clips: Sequence[ClipPixels] | Inputs) -> Tensor:
        """Return clips as the network takes them: float32 (N, C, T, H, W), or (N, 1, 2T, H, W) where interleaved."""
        if isinstance(clips, Inputs):
            is_bgr = self.info.clip_format.is_bgr
            normalised = np.ascontiguousarray(clips.values[:, ::-1]) if is_bgr else clips.values
        else:
            normalised = np.stack([normalise(pixels, self.info.clip_format) for pixels in clips])
        batch = copy_to_device(normalised, self.device)
        if self.info.interleaved:  # u1, v1, u2, v2, ... along time
            batch = batch.transpose(1, 2).flatten(1, 2)[:, None]
        return batch

    def align_gradients(self, input_gradients: Tensor) -> Tensor:
        """Return gradients with respect to `preprocess`'s result as float32 (N, C, T, H, W) in line with the pixels."""
        gradients = input_gradients.float()
        if self.info.interleaved:
            in_pairs = (len(gradients), -1, self.info.clip_format.channels, *gradients.shape[3:])
            gradients = gradients.reshape(in_pairs).transpose(1, 2)
        if self.info.clip_format.is_bgr:
            gradients = gradients.flip(1)
        return gradients.contiguous()

    def endpoints(self, batch: Tensor, wanted: Collection[str] | None = None) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        Where something goes back through a softmax, it is ours, of whatever kind the network is.

        Args:
            batch: As `preprocess` returns it.
            wanted: As for `NetworkKind.endpoints_for`.
        """
        logits: Tensor | None = None
        clips = batch.to(self.dtype, memory_format=torch.channels_last_3d)
        for endpoint, activation in self.kind.endpoints_for(self.fused, clips, wanted):
            if endpoint.is_score and logits is not None and is_softmax_of(activation, logits):
                activation = softmax(logits)
            yield endpoint, activation
            logits = activation if endpoint.is_class else None

    def forward(
        self,
        batch: Tensor,
        endpoints: Collection[Endpoint],
        visit: Visitor | None = None,
        layers: Collection[str] = (),
    ) -> dict[Endpoint, Tensor]:
        """Return the value of every target at `endpoints`, from one forward pass that goes no further than needed.

        Args:
            batch: As `preprocess` returns it.
            endpoints: At least one.
            visit: Shown the activations on the way; of those that are neither at `endpoints` nor at `layers`, the shape
                alone may be there.
            layers: Names of other endpoints whose activations are looked at.

        Returns:
            Per endpoint float32 (N, targets): sum over t, h, w of abs(activation) where there are time and space.
        """
        responses: dict[Endpoint, Tensor] = {}
        wanted = {*layers, *(endpoint.name for endpoint in endpoints)}
        for endpoint, activation in self.endpoints(batch, wanted):
            if visit:
                visit(endpoint, activation)
            if endpoint in endpoints:
                values = activation.to(batch.dtype)
                responses[endpoint] = values.abs().sum((2, 3, 4)) if values.ndim == 5 else values
            if len(responses) == len(endpoints):
                break
        return responses

    @torch.no_grad()
    def predict(
        self, clips: Sequence[ClipPixels] | Inputs, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None
    ) -> dict[Endpoint, HostCopy]:
        """Return the responses of clips on their way to arrays: per endpoint float32 (N, targets)."""
        visit = (lambda endpoint, activation: watch(endpoint, tuple(activation.shape))) if watch else None
        responses = self.forward(self.preprocess(clips), endpoints, visit)
        return {endpoint: HostCopy(values) for endpoint, values in responses.items()}

    def trace_shapes(self, clip_shape: tuple[int, ...]) -> dict[Endpoint, tuple[int, ...]]:
        """Return every endpoint's shape for one clip of `clip_shape` (channels, T, H, W)."""
        return self.kind.trace_shapes(self.module, clip_shape)

    def grid(self, endpoint: str, frames: int) -> Grid:
        """Return where the cells at an endpoint lie in a clip; what is not known of it is measured once.

        Args:
            endpoint: The name of one with time and space.
            frames: Of the clip.
        """
        info = self.info
        known, cells, key = info.find_grid(endpoint, frames), info.cells[endpoint], info.start_key(endpoint, frames)
        if known:
            return known
        if key not in self.starts:
            length = cells.choose_length(frames * info.places_per_frame)
            crop = info.clip_format.crop
            noise = make_noise(info.input_channels, (length, crop, crop), self.device)
            activate = partial(self.endpoints, wanted={endpoint})
            self.starts[key] = measure_start(activate, endpoint, cells.step, noise)
        return Grid(endpoint, self.starts[key], cells.step, info.places_per_frame)

    def environment(self) -> dict[str, object]:
        """Return what does not decide the numbers and is worth recording beside them."""
        return {"torch": str(torch.__version__), "device": str(self.device), "threads": torch.get_num_threads()}

    @contextmanager
    def precision_scope(self) -> Iterator[None]:
        """Set PyTorch to this network's precision, and back again at the end."""
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = matmul.allow_tf32, cudnn.allow_tf32
        try:
            # torch turns TF32 on for convolutions by itself: off by 2-3 % of the maximum, so only when asked for
            matmul.allow_tf32 = cudnn.allow_tf32 = self.precision == "tf32"
            with telling_memory(str(self.device)):
                yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


_MANY_PARAMETERS = 5_000_000
"""Smaller networks gain nothing from `_keep_memory`, and would lie scattered over twice the memory."""

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


def find_device(name: str, hint: str = "use --device auto or cpu") -> torch.device:
    """Return the device of that name; `auto` is a GPU where there is one.

    Args:
        name: Its name.
        hint: What to do where there is none.

    Raises:
        UsageError: The machine has no such device.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    device = torch.device(name)
    count = {"cpu": 1, "mps": int(has_mps)}.get(device.type, torch.cuda.device_count())
    if int(name.partition(":")[2] or 0) >= count:  # torch keeps a number above 127 as another one
        raise UsageError(f"this machine has no device {name}", hint)
    return device


def list_gpus() -> list[str]:
    """Return the names of all GPUs of this machine, as `find_device` takes them."""
    found = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return found or (["mps"] if torch.backends.mps.is_available() else [])


def uses_gpu() -> bool:
    """Return whether this process holds memory of a CUDA GPU."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
