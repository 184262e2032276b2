"""`gbvis inspect-shapes`: a network's endpoints, their shapes, targets and receptive fields."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import UsageError
from gbvis.networks.info import WeightsInfo
from gbvis.registry import check_name
from gbvis.steps.networks import Networks, WeightsRequest

if TYPE_CHECKING:
    from gbvis.networks.network import Network

DEPTHS = (18, 34)


@dataclass(frozen=True)
class InspectRequest:
    """Which networks to inspect: those of the weights, or the old script's of a given depth.

    Attributes:
        weights: Checkpoint files.
        depth: 18 or 34 layers; where given, the weights do not count.
        classes: The number of classes of a network of that depth.
        frames: Frames per clip; None for the network's own number.
    """

    weights: WeightsRequest
    depth: int | None = None
    classes: int = 101
    frames: int | None = None


@dataclass(frozen=True)
class EndpointShape:
    """An endpoint of one network.

    Attributes:
        name: The endpoint's name.
        aliases: Other names that work.
        shape: Of the activation for one clip: channels, time, y, x; or the number of features or classes alone.
        filters: How many targets there are to choose from.
        receptive_field: Frames and pixels that one activation sees; None where it sees the whole clip, or nobody knows.
        relus: What a rule for ReLUs reaches on the way there; None where nobody knows before the network has run.
    """

    name: str
    aliases: tuple[str, ...]
    shape: tuple[int, ...]
    filters: int
    receptive_field: tuple[int, int] | None
    relus: ReluCount | None


@dataclass(frozen=True)
class NetworkShapes:
    """A network, endpoint by endpoint.

    Attributes:
        info: What is known of the network; its path is empty where no weights were given.
        input: The input's shape for one clip: channels, time, y, x.
        endpoints: In the order of the forward pass.
    """

    info: WeightsInfo
    input: tuple[int, ...]
    endpoints: list[EndpointShape]

    @property
    def layers(self) -> Mapping[str, Any]:
        """Padding and batch-norm epsilon of an R(2+1)D; empty for other kinds of network."""
        variant = self.info.details.get("variant")
        return variant if isinstance(variant, Mapping) and {"padding", "norm_epsilon"} <= variant.keys() else {}

    def to_json(self) -> dict[str, Any]:
        """Return the network as a line of `--json`."""
        info, layers = self.info, self.layers
        return {
            "weights": {"path": info.path, "sha256": info.sha256, "identity": info.identity} if info.path else None,
            "family": info.checkpoint_format,
            "depth": info.details.get("depth"),
            "classes": info.class_count,
            "modality": info.modality,
            "input": {"shape": self.input, "interleaved": info.interleaved, **info.clip_format.to_json()},
            "padding": layers.get("padding"),
            "norm_epsilon": layers.get("norm_epsilon"),
            "parameters": info.parameters,
            "endpoints": [
                {
                    "name": endpoint.name,
                    "aliases": endpoint.aliases,
                    "shape": endpoint.shape,
                    "filters": endpoint.filters,
                    "receptive_field": dict(zip(("frames", "pixels"), endpoint.receptive_field, strict=True))
                    if endpoint.receptive_field
                    else None,
                    "relus": asdict(endpoint.relus) if endpoint.relus else None,
                }
                for endpoint in self.endpoints
            ],
        }


def run(request: InspectRequest) -> Iterator[NetworkShapes]:
    """Yield the shapes of every network asked about; nothing is computed.

    Raises:
        UsageError: The weights cannot be read, or neither weights nor depth are given.
    """
    if request.depth is None:
        networks = Networks(request.weights)
        for modality in networks.infos:
            yield _shapes(networks.load(modality, is_used=False), request.frames)
        return
    if request.weights.network:
        raise UsageError("--depth shows an R(2+1)D, and --network another network", "leave one of them out")
    if request.weights.checkpoint_format:
        raise UsageError("--checkpoint-format says what a weights file is", "give the file with -w")
    check_name("depth", [str(depth) for depth in DEPTHS], str(request.depth))
    modalities = [request.weights.modality] if request.weights.modality else ["rgb", "flow"]
    for modality in modalities:
        yield _shapes(_design(request.depth, modality, request.classes), request.frames)


def _design(depth: int, modality: str, classes: int) -> "Network":
    """Return an R(2+1)D as the old script has it, without weights."""
    from gbvis.networks.network import Network
    from gbvis.networks.r2plus1d.load import KIND

    return Network(*KIND.design(depth, modality, classes), KIND)


def _shapes(network: "Network", frames: int | None) -> NetworkShapes:
    from gbvis.attribution.relu import trace_relus  # here: it brings torch

    info = network.info
    steps = (frames or info.clip_format.frames) * (2 if info.interleaved else 1)
    clip_shape = (info.input_channels, steps, info.clip_format.crop, info.clip_format.crop)
    shapes = network.trace_shapes(clip_shape)
    fields = network.kind.receptive_fields(network.module)
    if info.interleaved:  # so many steps of u1, v1, u2, v2, ... touch half as many frames
        fields = {endpoint: (steps // 2 + 1, pixels) for endpoint, (steps, pixels) in fields.items()}
    relus = trace_relus(network, clip_shape)
    endpoints = [
        EndpointShape(one.name, one.aliases, shape, info.targets[one.name], fields.get(one), relus.get(one))
        for one, shape in shapes.items()
    ]
    return NetworkShapes(info, clip_shape, endpoints)
