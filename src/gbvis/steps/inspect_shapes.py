"""`gbvis inspect-shapes`: a network's endpoints, their shapes, targets and receptive fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import ENDPOINTS
from gbvis.networks.info import WeightsInfo
from gbvis.steps.networks import Networks, WeightsRequest

if TYPE_CHECKING:
    from gbvis.networks.r2plus1d.architecture import Architecture

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
        receptive_field: Frames and pixels that one activation sees; None where it sees the whole clip.
    """

    name: str
    aliases: tuple[str, ...]
    shape: tuple[int, ...]
    filters: int
    receptive_field: tuple[int, int] | None


@dataclass(frozen=True)
class NetworkShapes:
    """A network, endpoint by endpoint.

    Attributes:
        card: What is known of the network; its path is empty where no weights were given.
        input: The input's shape for one clip: channels, time, y, x.
        endpoints: In the order of the forward pass.
    """

    card: WeightsInfo
    input: tuple[int, ...]
    endpoints: list[EndpointShape]

    def to_json(self) -> dict[str, Any]:
        """Return the network as a line of `--json`."""
        card = self.card
        return {
            "weights": {"path": card.path, "sha256": card.sha256} if card.path else None,
            "family": card.family,
            "depth": card.depth,
            "classes": card.class_count,
            "modality": card.modality,
            "input": {"shape": self.input, "interleaved": card.interleaved, **card.clip_format.to_json()},
            "padding": card.variant.padding,
            "norm_epsilon": card.variant.norm_epsilon,
            "parameters": card.parameters,
            "endpoints": [
                {
                    "name": endpoint.name,
                    "aliases": endpoint.aliases,
                    "shape": endpoint.shape,
                    "filters": endpoint.filters,
                    "receptive_field": dict(zip(("frames", "pixels"), endpoint.receptive_field, strict=True))
                    if endpoint.receptive_field
                    else None,
                }
                for endpoint in self.endpoints
            ],
        }


def run(request: InspectRequest) -> Iterator[NetworkShapes]:
    """Yield the shapes of every network asked about; nothing is computed.

    Raises:
        GbvisError: The weights cannot be read, or neither weights nor depth are given (exit code 2).
    """
    if request.depth is None:
        networks = Networks(request.weights)
        for modality, card in networks.cards.items():
            yield _shapes(card, networks.load(modality).module.architecture, request.frames)
        return
    if request.weights.family:
        raise GbvisError("--family says what a weights file is", "give the file with -w", exit_code=2)
    registry.check_name("depth", [str(depth) for depth in DEPTHS], str(request.depth))
    modalities = [request.weights.modality] if request.weights.modality else ["rgb", "flow"]
    for modality in modalities:
        yield _shapes(*_design(request.depth, modality, request.classes), request.frames)


def _design(depth: int, modality: str, classes: int) -> "tuple[WeightsInfo, Architecture]":
    """Return the network that the old script's family has for a modality, without weights."""
    from gbvis.networks.r2plus1d.architecture import Architecture
    from gbvis.networks.r2plus1d.load import describe

    family = registry.families()[0]
    architecture = Architecture.of_depth(depth, family.formats[modality].channels, classes)
    return describe(architecture, family, modality), architecture


def _shapes(card: WeightsInfo, architecture: "Architecture", frames: int | None) -> NetworkShapes:
    from gbvis.networks.r2plus1d.architecture import receptive_fields
    from gbvis.networks.r2plus1d.module import trace_shapes

    steps = (frames or card.clip_format.frames) * (2 if card.interleaved else 1)
    clip_shape = (card.input_channels, steps, card.clip_format.crop, card.clip_format.crop)
    shapes = trace_shapes(architecture, card.variant, clip_shape)
    fields = receptive_fields(architecture)
    if card.interleaved:  # so many steps of u1, v1, u2, v2, ... touch half as many frames
        fields = {endpoint: (steps // 2 + 1, pixels) for endpoint, (steps, pixels) in fields.items()}
    return NetworkShapes(
        card,
        clip_shape,
        [
            EndpointShape(
                name=endpoint.name,
                aliases=endpoint.aliases,
                shape=shapes[endpoint],
                filters=card.target_count(endpoint),
                receptive_field=fields.get(endpoint),
            )
            for endpoint in ENDPOINTS
        ],
    )
