import pytest
import torch

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import ENDPOINTS, STAGES, STEM, Architecture, Variant, receptive_fields
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.networks.r2plus1d.load import KIND, describe
from gbvis.networks.r2plus1d.module import R2Plus1D

OLD, NEW = Variant("same", 1e-3), Variant("symmetric", 1e-5)


def trace_shapes(
    architecture: Architecture, variant: Variant, clip: tuple[int, ...]
) -> dict[Endpoint, tuple[int, ...]]:
    """Return every endpoint's shape for one clip (channels, T, H, W)."""
    with torch.device("meta"):
        module = R2Plus1D(architecture, variant)
    return Network(module, describe(module, OLD_SCRIPT, "rgb"), KIND).trace_shapes(clip)


@pytest.mark.parametrize(("depth", "classes", "millions"), [(18, 400, 33.4), (34, 400, 63.7)])
def test_the_papers_networks(depth: int, classes: int, millions: float) -> None:
    """The sizes are those of VMZ's model zoo."""
    architecture = Architecture.of_depth(depth, 3, classes)
    with torch.device("meta"):
        info = describe(R2Plus1D(architecture, OLD), OLD_SCRIPT, "rgb")
    assert architecture.depth == depth
    assert round(info.parameters / 1e6, 1) == millions
    block = architecture.stages[1][0]
    assert (block.first.middle, block.second.middle) == (230, 288)
    assert architecture.stages[0][0].first.middle == 144 and architecture.stem.middle == 45


def test_shapes() -> None:
    shapes = trace_shapes(Architecture.of_depth(18, 3, 400), NEW, (3, 16, 112, 112))
    assert [shapes[endpoint] for endpoint in ENDPOINTS] == [
        (64, 16, 56, 56), (64, 16, 56, 56), (128, 8, 28, 28), (256, 4, 14, 14), (512, 2, 7, 7),
        (512,), (400,), (400,),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(8, 112, 112), (7, 111, 113), (1, 64, 65)])
def test_same_padding_gives_the_ceiling(size: tuple[int, int, int]) -> None:
    shapes = trace_shapes(Architecture.of_depth(18, 3, 2), OLD, (3, *size))
    for number, stage in enumerate(STAGES):
        assert shapes[stage][1] == -(-size[0] // 2**number)
        assert shapes[stage][2:] == tuple(-(-side // 2 ** (number + 1)) for side in size[1:])


def test_receptive_fields_are_what_a_gradient_reaches(make_weights: object) -> None:
    """One activation's gradient, with weights that cancel nothing, covers its receptive field and no more."""
    architecture = make_weights.make_architecture(3)  # type: ignore[attr-defined]
    module = R2Plus1D(architecture, NEW).eval()
    for parameter in module.parameters():
        torch.nn.init.constant_(parameter, 0.05)
    clip = torch.rand(1, 3, 33, 128, 128, requires_grad=True)
    fields = KIND.receptive_fields(module)
    assert fields == receptive_fields(architecture) and list(fields) == [STEM, *STAGES]
    for endpoint, activation in module.endpoints(clip):
        if endpoint not in (STEM, *STAGES[:2]):
            break
        time, row, column = (size // 2 for size in activation.shape[2:])
        (gradient,) = torch.autograd.grad(activation[0, 0, time, row, column], clip, retain_graph=True)
        reached = (gradient[0].abs().sum(0) > 0).nonzero()
        extent = (reached.max(0).values - reached.min(0).values + 1).tolist()
        assert extent == [fields[endpoint][0], fields[endpoint][1], fields[endpoint][1]]
