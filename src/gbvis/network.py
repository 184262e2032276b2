"""Network: an R(2+1)D with its input format, labels and endpoints, built from a checkpoint's own shapes."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gbvis.card import WeightsCard
from gbvis.clip import ClipPixels, normalise
from gbvis.endpoint import AP, ENDPOINTS, FC, SOFTMAX, STAGES, STEM, Endpoint, Responses
from gbvis.errors import GbvisError
from gbvis.family import Family
from gbvis.labels import read_class_list
from gbvis.r2plus1d import Architecture, R2Plus1D, count_parameters
from gbvis.state_dict import StateDict

ShapeWatcher = Callable[[Endpoint, tuple[int, ...]], None]
"""Called with every endpoint and the shape of its activation as the forward pass reaches it."""


class Network:
    """A network that can be run on clips; its parameters never ask for gradients.

    Attributes:
        module: The R(2+1)D, in evaluation mode.
        card: What is known of it without its weights.
    """

    def __init__(self, module: R2Plus1D, card: WeightsCard) -> None:
        self.module = module.eval().requires_grad_(False)
        self.card = card
        self.device = torch.device("cpu")
        self.precision = "float32"

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
        self.module.to(device)
        self.device, self.precision = device, precision
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
        for endpoint, activation in self.module.endpoints(clip):
            if watch:
                watch(endpoint, tuple(activation.shape))
            if endpoint in endpoints:
                values = activation[0].float()
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
        autocast: AbstractContextManager[object] = nullcontext()
        if self.precision == "bfloat16":
            autocast = torch.autocast(self.device.type, torch.bfloat16)
        try:
            # torch turns TF32 on for convolutions by itself: off by 2-3 % of the maximum, so only when asked for
            matmul.allow_tf32 = cudnn.allow_tf32 = self.precision == "tf32"
            with autocast:
                yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


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


def build_network(state_dict: StateDict, families: Sequence[Family], sha256: str) -> Network:
    """Return the network that `state_dict` holds, every parameter set from it and every tensor in it used.

    Args:
        state_dict: The named tensors.
        families: Those to choose from, by the names of the tensors.
        sha256: Of the file, for the card.

    Raises:
        GbvisError: The tensors are no R(2+1)D of these families, or a parameter is missing, spare, of the wrong
            shape or not finite (exit code 2).
    """
    family = _choose_family(state_dict, families)
    architecture = _read_architecture(state_dict, family)
    modality = _read_modality(state_dict, family, architecture)
    with torch.device("meta"):
        module = R2Plus1D(architecture, family.padding, family.norm_epsilon)
    module.load_state_dict(_collect(state_dict, family, module), strict=False, assign=True)
    path = str(state_dict.path.resolve())
    return Network(module, describe(architecture, family, modality, sha256, path))


def describe(
    architecture: Architecture, family: Family, modality: str, sha256: str = "", path: str = ""
) -> WeightsCard:
    """Return the card of a network of this architecture and family."""
    class_list = family.class_lists.get(architecture.classes)
    return WeightsCard(
        sha256=sha256,
        path=path,
        family=family.name,
        modality=modality,
        depth=architecture.depth,
        parameters=count_parameters(architecture),
        padding=family.padding,
        norm_epsilon=family.norm_epsilon,
        interleaved=architecture.stem.inputs == 1,
        clip_format=family.formats[modality],
        targets=count_targets(architecture),
        labels=read_class_list(class_list) if class_list else None,
    )


def count_targets(architecture: Architecture) -> dict[str, int]:
    """Return per endpoint name the number of targets: filters, features or classes."""
    widths = [blocks[-1][1].outputs for blocks in architecture.stages]
    counts = {STEM: architecture.stem.outputs, **dict(zip(STAGES, widths, strict=True))}
    counts |= {AP: widths[-1], FC: architecture.classes, SOFTMAX: architecture.classes}
    return {endpoint.name: counts[endpoint] for endpoint in ENDPOINTS}


def _choose_family(state_dict: StateDict, families: Sequence[Family]) -> Family:
    probes = (
        "stem.spatial.convolution.weight",
        "classifier.weight",
        "stages.0.0.first.spatial.convolution.weight",
    )
    for family in families:
        if any(family.name_of(probe) in state_dict.tensors for probe in probes):
            return family
    first = ", ".join(list(state_dict.tensors)[:3])
    raise GbvisError(
        f"{state_dict.path} is no R(2+1)D checkpoint that gbvis knows: its tensors are named {first}, ...",
        f"known families: {', '.join(family.name for family in families)}",
        exit_code=2,
    )


def _read_architecture(state_dict: StateDict, family: Family) -> Architecture:
    def shape_of(parameter: str) -> tuple[int, ...] | None:
        tensor = state_dict.tensors.get(family.name_of(parameter))
        return tuple(tensor.shape) if isinstance(tensor, Tensor) else None

    try:
        architecture = Architecture.from_shapes(shape_of)
    except LookupError as error:
        name = family.name_of(str(error.args[0]))
        found = state_dict.tensors.get(name)
        what = f"is missing {name}" if found is None else f"has {name} with shape {list(found.shape)}"
        raise _unfit(state_dict, family, what) from error
    downsampling = [blocks[0] for blocks in architecture.stages[1:]]
    own_middles = [first.middle != second.middle for first, second in downsampling]
    if family.has_equal_middles and any(own_middles):
        first, second = downsampling[0]
        raise _unfit(
            state_dict,
            family,
            f"has {first.middle} and {second.middle} middle channels where {family.name} has "
            f"{first.middle} and {first.middle}: the names are {family.name}'s, the shapes VMZ's, whose batch norm "
            "differs, so that its scores would be silently wrong",
        )
    return architecture


def _read_modality(state_dict: StateDict, family: Family, architecture: Architecture) -> str:
    modality = {3: "rgb", 2: "flow", 1: "flow"}.get(architecture.stem.inputs)
    if modality is None:
        raise _unfit(state_dict, family, f"takes {architecture.stem.inputs} input channels, not 3 (RGB), 2 or 1 (flow)")
    if state_dict.declared_modality not in (None, modality):
        raise _unfit(
            state_dict,
            family,
            f"says it is for {state_dict.declared_modality}, and its first convolution takes "
            f"{architecture.stem.inputs} channels, which is {modality}",
        )
    if modality not in family.formats:
        raise _unfit(state_dict, family, f"is a {modality} network, and {family.name} has none")
    return modality


def _collect(state_dict: StateDict, family: Family, module: R2Plus1D) -> dict[str, Tensor]:
    """Return the tensors under the module's names; counters of batches are not used and may be missing."""
    expected = {family.name_of(name): (name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()}
    tensors = state_dict.tensors
    missing = [name for name in expected if name not in tensors and not name.endswith("num_batches_tracked")]
    spare = [name for name in tensors if name not in expected]
    _refuse(state_dict, family, "is missing", missing)
    _refuse(state_dict, family, "has, beside the network,", spare)
    collected = {expected[name][0]: tensor for name, tensor in tensors.items()}
    wrong = [
        f"{name} {list(tensor.shape)} instead of {list(expected[name][1])}"
        for name, tensor in tensors.items()
        if tuple(tensor.shape) != expected[name][1]
    ]
    _refuse(state_dict, family, "has wrong shapes:", wrong)
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    _refuse(state_dict, family, "has NaN or infinity in", broken)
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in collected.items()}


def _refuse(state_dict: StateDict, family: Family, what: str, names: Collection[str]) -> None:
    if names:
        listed = list(names)
        rest = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
        raise _unfit(state_dict, family, f"{what} {', '.join(listed[:3])}{rest}")


def _unfit(state_dict: StateDict, family: Family, what: str) -> GbvisError:
    return GbvisError(
        f"{state_dict.path} {what}",
        f"it was read as a checkpoint of the {family.name} family; nothing was loaded",
        exit_code=2,
    )
