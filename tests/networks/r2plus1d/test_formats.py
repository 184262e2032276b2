"""The contract of a checkpoint family: every registered one reads its own files, strictly."""

import argparse
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import ENDPOINTS
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import Architecture, Block, Factors
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.load import build_network, describe
from gbvis.networks.r2plus1d.module import NormedConvolution, R2Plus1D
from gbvis.networks.weights.caffe2_pickle import make_state_dict, read_blobs
from gbvis.networks.weights.torch_file import NamedTensors, read_state_dicts
from gbvis.steps.networks import Networks, WeightsRequest

FAMILIES = registry.families()


def make_architecture(
    family: CheckpointFormat, channels: int = 3, blocks: tuple[int, ...] = (1, 2, 1, 1)
) -> Architecture:
    """Return a tiny network with the family's kind of middle channels."""
    stages, inputs = [], 4
    for stage, count in enumerate(blocks):
        width = 4 * (stage + 1)
        made = []
        for block in range(count):
            is_downsampling = stage > 0 and block == 0
            is_odd = is_downsampling and not family.has_equal_middles
            is_factorized = is_downsampling and family.variant.has_factorized_shortcuts
            first = Factors(inputs if block == 0 else width, 5 + stage, width)
            second = Factors(width, 7 + stage if is_odd else 5 + stage, width)
            made.append(Block(first, second, Factors(inputs, 3, width) if is_factorized else None))
        stages.append(tuple(made))
        inputs = width
    return Architecture(Factors(channels, 6, 4), tuple(stages), 11)


def make_tensors(family: CheckpointFormat, channels: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    module = R2Plus1D(make_architecture(family, channels), family.variant)
    named = locate(family)
    names = {name: str(named.name_of(name)) for name in module.state_dict()}
    if family.suffixes:  # no batch counters outside torch
        names = {name: theirs for name, theirs in names.items() if not name.endswith("num_batches_tracked")}
    return {theirs: module.state_dict()[name] for name, theirs in names.items()}


def locate(family: CheckpointFormat) -> CheckpointFormat:
    """Return the family as it names the parameters of `make_architecture`: Caffe2's depends on where stages begin."""
    if family.name != "vmz-caffe2":
        return family
    located = make_state_dict(Path("made.pkl"), dict.fromkeys(CAFFE2_MARKS), family).family
    assert located is not None
    return located


CAFFE2_MARKS = ("shortcut_projection_1_w", "shortcut_projection_3_w", "shortcut_projection_4_w", "last_out_L11_w")


def build(tensors: dict[str, torch.Tensor], modality: str | None = None) -> Network:
    state_dict = NamedTensors(Path("made.pth"), tensors, modality)
    if "comp_0_conv_1_w" in tensors or "conv1_w" in tensors:
        blobs = {name: t.numpy() if is_plain(t) else t for name, t in tensors.items()}
        state_dict = replace(make_state_dict(Path("made.pkl"), blobs, FAMILIES[-1]), declared_modality=modality)
    return build_network(state_dict, FAMILIES, "0" * 64)


def is_plain(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.layout == torch.strided


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
class TestEveryFamily:
    def test_its_file_gives_its_network(self, family: CheckpointFormat) -> None:
        tensors = make_tensors(family)
        network = build(tensors)
        assert network.card.family == family.name
        assert network.card.depth == 2 + 2 * 5
        assert network.module.architecture == make_architecture(family)
        for name, tensor in network.module.state_dict().items():
            theirs = str(locate(family).name_of(name))
            assert torch.equal(tensor, tensors.get(theirs, torch.tensor(0)))  # counters may be missing
        assert list(network.card.targets) == [endpoint.name for endpoint in ENDPOINTS]
        assert not any(parameter.requires_grad for parameter in network.module.parameters())
        assert not network.module.training

    def test_every_missing_parameter_is_named(self, family: CheckpointFormat) -> None:
        whole = make_tensors(family)
        for name in whole:
            if name.endswith("num_batches_tracked"):
                continue
            tensors = dict(whole)
            del tensors[name]
            with pytest.raises(GbvisError) as error:
                build(tensors)
            assert name in error.value.problem, name
            assert error.value.exit_code == 2

    def test_its_networks_differ_from_the_others_in_every_known_way(self, family: CheckpointFormat) -> None:
        network = build(make_tensors(family))
        assert network.card.variant == family.variant
        norms = [module for module in network.module.modules() if isinstance(module, torch.nn.BatchNorm3d)]
        assert {norm.eps for norm in norms} == {family.variant.norm_epsilon}

    def test_every_misshapen_parameter_is_named(self, family: CheckpointFormat) -> None:
        whole = make_tensors(family)
        for name, tensor in whole.items():
            if tensor.ndim == 0:
                continue
            tensors = dict(whole)
            for misshapen in (tensor.repeat_interleave(2, dim=tensor.ndim - 1), tensor.flatten()[:1]):
                tensors[name] = misshapen
                with pytest.raises(GbvisError) as error:
                    build(tensors)
                assert name in error.value.problem

    def test_spare_parameters_are_named_and_counted(self, family: CheckpointFormat) -> None:
        spare = {f"extra.{number}": torch.zeros(1) for number in range(5)}
        with pytest.raises(GbvisError, match=r"extra\.0, extra\.1, extra\.2 and 2 more"):
            build(make_tensors(family) | spare)

    def test_a_weight_that_is_no_number_is_named(self, family: CheckpointFormat) -> None:
        tensors = make_tensors(family)
        name = str(locate(family).name_of("stages.1.0.second.spatial.norm.running_mean"))
        tensors[name][0] = float("nan")
        with pytest.raises(GbvisError, match="NaN or infinity") as error:
            build(tensors)
        assert name in error.value.problem

    @pytest.mark.parametrize("value", ["text", 3, [1.0], torch.zeros(3, dtype=torch.bool), torch.zeros(3).to_sparse()])
    def test_a_value_that_is_no_plain_tensor_is_named(self, family: CheckpointFormat, value: object) -> None:
        for parameter in ("stem.spatial.convolution.weight", "classifier.bias"):
            tensors = make_tensors(family)
            tensors[locate(family).name_of(parameter)] = value  # type: ignore[assignment]
            with pytest.raises(GbvisError) as error:
                build(tensors)
            assert locate(family).name_of(parameter) in error.value.problem

    def test_half_precision_is_computed_in_full(self, family: CheckpointFormat) -> None:
        tensors = make_tensors(family)
        network = build({n: t.half() if t.is_floating_point() else t for n, t in tensors.items()})
        assert {tensor.dtype for tensor in network.module.parameters()} == {torch.float32}

    def test_the_stream_is_read_from_the_stem_and_checked(self, family: CheckpointFormat) -> None:
        assert build(make_tensors(family)).card.modality == "rgb"
        with pytest.raises(GbvisError, match="says it is for flow"):
            build(make_tensors(family), "flow")
        with pytest.raises(GbvisError, match="takes 4 input channels"):
            build(make_tensors(family, channels=4))
        for channels in (1, 2):
            if "flow" in family.formats:
                card = build(make_tensors(family, channels), "flow").card
                assert card.modality == "flow" and card.interleaved == (channels == 1)
            else:
                with pytest.raises(GbvisError, match="reads none"):
                    build(make_tensors(family, channels))


def test_foreign_names_are_no_checkpoint() -> None:
    with pytest.raises(GbvisError, match=r"layer\.weight"):
        build({"layer.weight": torch.zeros(1)})


def test_vmz_and_torchvision_are_told_apart_by_shapes() -> None:
    """Their names are the same; with the other's epsilon the scores would be silently off."""
    by_name = {family.name: family for family in FAMILIES}
    for name in ("vmz", "torchvision"):
        card = build(make_tensors(by_name[name])).card
        assert card.family == name
        assert card.variant.norm_epsilon == {"vmz": 1e-3, "torchvision": 1e-5}[name]


@pytest.mark.parametrize(
    ("like", "names"),
    [("vmz", ("old-script", "vmz", "vmz-caffe2")), ("torchvision", ("old-script", "torchvision", "vmz-caffe2"))],
)
def test_the_same_network_in_every_familys_names_gives_the_same_scores(
    random: np.random.Generator, like: str, names: tuple[str, ...]
) -> None:
    """What differs by design (padding, epsilon) is set to the same before; R2Plus1D-PyTorch's stem has no like."""
    by_name = {family.name: family for family in FAMILIES}
    clip = torch.from_numpy(random.standard_normal((1, 3, 8, 64, 64)).astype(np.float32))
    torch.manual_seed(3)
    source = R2Plus1D(make_architecture(by_name[like]), by_name["vmz"].variant).eval()
    expected = source(clip)
    for name in names:
        named = locate(by_name[name])
        tensors = {str(named.name_of(key)): t for key, t in source.state_dict().items() if "batches" not in key}
        network = build(tensors)
        assert network.card.family == name
        for module in network.module.modules():
            if isinstance(module, NormedConvolution):
                module.padding = "symmetric"
                module.convolution.padding = tuple(size // 2 for size in module.convolution.kernel_size)
            if isinstance(module, torch.nn.BatchNorm3d):
                module.eps = 1e-3
        torch.testing.assert_close(network.module(clip), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
class TestWhatCannotBeComputedWith:
    def test_no_classes(self, family: CheckpointFormat) -> None:
        named = locate(family)
        empty = {
            str(named.name_of("classifier.weight")): torch.zeros(0, 16),
            str(named.name_of("classifier.bias")): torch.zeros(0),
        }
        with pytest.raises(GbvisError, match="with shape") as error:
            build(make_tensors(family) | empty)
        assert str(named.name_of("classifier.weight")) in error.value.problem

    def test_numbers_that_are_too_large_for_float32(self, family: CheckpointFormat) -> None:
        name = str(locate(family).name_of("classifier.bias"))
        with pytest.raises(GbvisError, match="NaN or infinity"):
            build(make_tensors(family) | {name: torch.full((11,), 1e48, dtype=torch.float64)})

    def test_negative_variances(self, family: CheckpointFormat) -> None:
        name = str(locate(family).name_of("stem.spatial.norm.running_var"))
        with pytest.raises(GbvisError, match="negative variances"):
            build(make_tensors(family) | {name: torch.full((6,), -1.0)})

    def test_a_whole_stage_is_missing(self, family: CheckpointFormat) -> None:
        named = locate(family)
        lost = {
            str(named.name_of(name))
            for name in R2Plus1D(make_architecture(family), family.variant).state_dict()
            if name.startswith("stages.3.")
        }
        with pytest.raises(GbvisError, match="is missing .* and 1 more"):
            build({name: tensor for name, tensor in make_tensors(family).items() if name not in lost})

    def test_a_weight_that_does_not_take_what_comes_before_it_is_the_one_named(self, family: CheckpointFormat) -> None:
        name = str(locate(family).name_of("stages.2.0.first.spatial.convolution.weight"))
        tensors = make_tensors(family)
        tensors[name] = tensors[name][:, :3].contiguous()
        with pytest.raises(GbvisError, match="does not fit the others") as error:
            build(tensors)
        assert name in error.value.problem


def test_caffe2s_names_in_a_torch_file(tmp_path: Path) -> None:
    torch.save(make_tensors(FAMILIES[-1]), tmp_path / "net.pth")
    assert Networks(WeightsRequest((tmp_path / "net.pth",))).cards["rgb"].family == "vmz-caffe2"


def test_families_go_by_the_names_they_are_asked_for() -> None:
    assert {name: registry.family(name).name for name in registry.CHECKPOINTS} == {
        name: name for name in registry.CHECKPOINTS
    }


def test_what_fits_two_families_asks_which_it_is(tmp_path: Path) -> None:
    vmz = registry.family("vmz")
    twin = replace(vmz, name="twin", variant=replace(vmz.variant, norm_epsilon=1e-5))
    state_dict = NamedTensors(tmp_path / "net.pth", make_tensors(vmz), None)
    with pytest.raises(GbvisError, match="may be of the families vmz or twin") as error:
        build_network(state_dict, [vmz, twin], "0" * 64)
    assert "--family vmz" in error.value.hint
    assert build_network(state_dict, [vmz, twin], "0" * 64, twin).card.variant.norm_epsilon == 1e-5


def test_a_family_that_is_named_is_taken(tmp_path: Path) -> None:
    """Torchvision's shapes, fine-tuned with another epsilon: the shapes alone would say torchvision."""
    torch.save(make_tensors(registry.family("torchvision")), tmp_path / "net.pth")
    for family, expected in ((None, "torchvision"), ("vmz", "vmz")):
        card = Networks(WeightsRequest((tmp_path / "net.pth",), family=family)).cards["rgb"]
        assert card.family == expected
    with pytest.raises(GbvisError, match="no R\\(2\\+1\\)D checkpoint of the old-script family") as error:
        Networks(WeightsRequest((tmp_path / "net.pth",), family="old-script"))
    assert "the names of torchvision or vmz" in error.value.hint
    with pytest.raises(GbvisError, match="unknown family") as error:
        WeightsRequest((tmp_path / "net.pth",), family="torchvison")
    assert "torchvision" in error.value.hint


def test_a_family_that_the_file_contradicts_is_refused(tmp_path: Path) -> None:
    tensors = {name: tensor.numpy() for name, tensor in make_tensors(FAMILIES[-1]).items()}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"blobs": tensors}, protocol=2))
    with pytest.raises(GbvisError, match="says itself that it is of the vmz-caffe2 family, not vmz"):
        Networks(WeightsRequest((tmp_path / "net.pkl",), family="vmz"))
    assert Networks(WeightsRequest((tmp_path / "net.pkl",), family="vmz-caffe2")).cards


@pytest.mark.parametrize(("depth", "blocks"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3))])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_18_and_34_layers(family: CheckpointFormat, depth: int, blocks: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module = R2Plus1D(make_architecture(family, blocks=blocks), family.variant)
    named = family
    if family.name == "vmz-caffe2":
        starts = {18: (2, 4, 6), 34: (3, 7, 13)}[depth]  # VMZ's own counting
        marks = dict.fromkeys([*(f"shortcut_projection_{index}_w" for index in starts), "last_out_L11_w"])
        named = make_state_dict(Path("made.pkl"), marks, family).family or family
    tensors = {str(named.name_of(name)): tensor for name, tensor in module.state_dict().items() if "batch" not in name}
    assert build(tensors).card.depth == depth


@pytest.mark.parametrize(
    ("family", "classes", "first"),
    [
        ("old-script", 101, "ApplyEyeMakeup"),
        ("old-script", 51, "brush_hair"),
        ("torchvision", 400, "abseiling"),
        ("vmz", 400, "abseiling"),
        ("vmz", 359, None),
        ("vmz", 487, None),
        ("vmz-caffe2", 400, "abseiling"),
        ("vmz-caffe2", 487, None),
    ],
)
def test_class_names_come_with_the_count(family: str, classes: int, first: str | None) -> None:
    named = registry.family(family)
    card = describe(replace(make_architecture(named), classes=classes), named, "rgb")
    assert card.class_count == classes
    assert (card.labels[0] if card.labels else None) == first
    assert card.labels is None or len(card.labels) == classes


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_caffe2_pickle_written_by_python_2(tmp_path: Path, is_wrapped: bool) -> None:
    """Protocol 2 and byte strings, beside what training leaves in such a file."""
    family = FAMILIES[-1]
    tensors = {**make_tensors(family), "conv1_w_momentum": torch.zeros(3), "lr": torch.zeros(1)}
    blobs = {name: tensor.numpy() for name, tensor in tensors.items()}
    content = pickle.dumps({"blobs": blobs} if is_wrapped else blobs, protocol=2).replace(b"numpy._core", b"numpy.core")
    (tmp_path / "net.pkl").write_bytes(content)
    card = Networks(WeightsRequest((tmp_path / "net.pkl",))).cards["rgb"]
    assert (card.family, card.class_count, card.depth) == ("vmz-caffe2", 11, 12)
    assert card.variant.norm_epsilon == 1e-3


def test_a_caffe2_flow_network_takes_motion_in_pixels() -> None:
    card = build(make_tensors(FAMILIES[-1], channels=2)).card
    assert (card.modality, card.interleaved, card.clip_format.is_motion, card.clip_format.frames) == (
        "flow",
        False,
        True,
        32,
    )


def test_a_flow_network_under_torchvisions_names_is_refused_and_not_misread() -> None:
    with pytest.raises(GbvisError, match="is a flow network"):
        build(make_tensors(registry.family("vmz"), channels=2))


def test_a_caffe2_data_base_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    key, value = b"!!META_NET_DEF", bytes(500)
    record = len(key).to_bytes(4, "little") + len(value).to_bytes(4, "little") + key + value
    (tmp_path / "net.mdl").write_bytes(record)
    with pytest.raises(GbvisError, match="Caffe2 data base") as error:
        Networks(WeightsRequest((tmp_path / "net.mdl",)))
    assert "minidb_to_pickle.py" in error.value.hint


def test_a_pickle_that_would_run_code_does_not(tmp_path: Path) -> None:
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"blobs": {"conv1_w": Hostile()}}, protocol=2))
    with pytest.raises(GbvisError, match="may run code") as error:
        read_blobs(tmp_path / "net.pkl")
    assert error.value.exit_code == 2
    assert not Path("/tmp/gbvis-was-run").exists()


@pytest.mark.parametrize("content", [pickle.dumps([1]), pickle.dumps({"a": 1}), pickle.dumps({"blobs": 3})])
def test_a_pickle_of_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pkl").write_bytes(content)
    with pytest.raises(GbvisError, match="a pickle without named arrays"):
        read_blobs(tmp_path / "net.pkl")


def test_torchs_old_file_format(tmp_path: Path) -> None:
    """Before zip files torch.save wrote pickles one after the other, the first of which is a magic number."""
    torch.save(make_tensors(FAMILIES[0]), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert Networks(WeightsRequest((tmp_path / "old.pth",))).cards["rgb"].family == "old-script"


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x80\x02garbage", b"text"])
def test_what_is_no_caffe2_pickle_is_left_to_torch(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pkl").write_bytes(content)
    assert read_blobs(tmp_path / "net.pkl") is None


def layouts(state: dict[str, torch.Tensor]) -> dict[str, object]:
    """Return every layout in which the old script and fine-tuning scripts wrap a state dict."""
    names = argparse.Namespace(arch="r2plus1d_18", lr=0.1)
    other = {name: tensor + 1 for name, tensor in state.items()}
    return {
        "bare": state,
        "content": {"args": names, "content": {"rgb": {"split1": {"state_dict": state}}}},
        "another split": {"content": {"rgb": {"split3": {"state_dict": state}}}},
        "train": {"args": names, "train": {"state_dict": state, "epoch": 3}},
        "best goes first": {"train": {"state_dict": other, "best": {"state_dict": state, "top1": 0.9}}},
        "one of two": {"rgb_state": state},
        "state_dict": {"state_dict": state, "optimizer": {"lr": 1.0}},
        "model": {"model": state},
        "model_state_dict": {"model_state_dict": state, "epoch": 1},
        "DataParallel": {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
    }


@pytest.mark.parametrize("layout", layouts({}))
def test_every_layout_gives_the_same_tensors(tmp_path: Path, layout: str) -> None:
    state = make_tensors(FAMILIES[0])
    torch.save(layouts(state)[layout], tmp_path / "weights.pth")
    (found,) = read_state_dicts(tmp_path / "weights.pth")
    assert found.tensors.keys() == state.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_one_file_may_hold_both_streams(tmp_path: Path) -> None:
    states = {f"{m}_state": make_tensors(FAMILIES[0], channels) for m, channels in (("rgb", 3), ("flow", 1))}
    torch.save({**states, "stream_weights": [1.0, 1.0]}, tmp_path / "both.pth")
    assert [found.declared_modality for found in read_state_dicts(tmp_path / "both.pth")] == ["rgb", "flow"]


@pytest.mark.parametrize("weights", [[1.0, 1.5], {"rgb": 1, "flow": 1.5}, torch.tensor([1.0, 1.5])])
def test_fusion_weights(tmp_path: Path, weights: object) -> None:
    states = {f"{m}_state": make_tensors(FAMILIES[0], channels) for m, channels in (("rgb", 3), ("flow", 1))}
    torch.save({**states, "stream_weights": weights}, tmp_path / "both.pth")
    assert [found.fusion_weight for found in read_state_dicts(tmp_path / "both.pth")] == [1.0, 1.5]
    torch.save({**states, "stream_weights": [0.0, 0.0]}, tmp_path / "both.pth")
    with pytest.raises(GbvisError, match="stream_weights"):
        read_state_dicts(tmp_path / "both.pth")


def write_bomb(path: Path) -> None:
    """A gigabyte of zeros in a megabyte, where torch.save would have put a tensor."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("weights/data/0", "w") as entry:
        for _ in range(64):
            entry.write(bytes(16 << 20))


def write_claim(path: Path) -> None:
    """Strides of zero: a tensor of terabytes from one number."""
    tensors = make_tensors(FAMILIES[0])
    tensors["linear1.weight"] = torch.zeros(1).expand(1 << 31, 16)
    tensors["linear1.bias"] = torch.zeros(1).expand(1 << 31)
    torch.save(tensors, path)


def test_what_claims_to_be_large_is_refused_before_it_is(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_bomb(tmp_path / "bomb.pth")
    with pytest.raises(GbvisError, match="would unpack to 1,073,741,824 bytes"):
        read_state_dicts(tmp_path / "bomb.pth")
    write_claim(tmp_path / "claim.pth")
    (state,) = read_state_dicts(tmp_path / "claim.pth")
    with pytest.raises(GbvisError, match=r"linear1\.weight"):
        build_network(state, FAMILIES, "0" * 64)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("/tmp/gbvis-was-run"),))


def write_program(path: Path) -> None:
    """What TorchScript's own archives hold beside `data.pkl`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/constants.pkl", b"\x80\x02).")


def write_text(path: Path) -> None:
    path.write_text("this is no checkpoint")


def write_hostile(path: Path) -> None:
    torch.save({"state_dict": make_tensors(FAMILIES[0]), "args": Hostile()}, path)


def write_truncated(path: Path) -> None:
    torch.save(make_tensors(FAMILIES[0]), path)
    path.write_bytes(path.read_bytes()[:-2000])


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (write_text, "another kind of file"),
        (write_program, "TorchScript"),
        (lambda path: torch.save({"a": np.zeros(3)}, path), "NumPy arrays where tensors are expected"),
        (write_hostile, "may run code"),
        (write_truncated, "no checkpoint"),
        (Path.touch, "it is empty"),
        (lambda path: torch.save([1, 2], path), "no network"),
        (lambda path: torch.save({"epoch": 3}, path), "no network"),
        (lambda path: torch.save({"content": {"rgb": {"split1": {}, "split2": {}}}}, path), "several networks"),
        (lambda path: None, "no such weights file"),
    ],
)
def test_what_is_no_checkpoint_says_so(tmp_path: Path, write: Callable[[Path], None], found: str) -> None:
    write(tmp_path / "weights.pth")
    with pytest.raises(GbvisError, match=found) as error:
        read_state_dicts(tmp_path / "weights.pth")
    assert error.value.exit_code == 2
    assert not Path("/tmp/gbvis-was-run").exists()


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"blobs": {"conv1_w": Hostile()}}, protocol=2))


def write_claiming_pickle(path: Path) -> None:
    """An array of a terabyte in a few bytes: `numpy.ndarray((2**40,), uint8)`."""
    path.write_bytes(
        b"\x80\x02}X\x07\x00\x00\x00conv1_wcnumpy\nndarray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85U\x01b\x86Rs."
    )


def write_growing_pickle(path: Path) -> None:
    """Text that doubles with every step: `_codecs.encode(x, 'hex')`, forty times."""
    path.write_bytes(b"\x80\x02" + b"c_codecs\nencode\n" * 40 + b"U\x08aaaaaaaa" + b"U\x03hex\x86R" * 40 + b".")


def write_long_pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x02" + b"]" * 2_000_000 + b".")


def write_cut_pickle(path: Path) -> None:
    blobs = {name: tensor.numpy() for name, tensor in make_tensors(FAMILIES[-1]).items()}
    path.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2)[:-3000])


def write_cut_zip(path: Path) -> None:
    torch.save(make_tensors(FAMILIES[0]), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_wrong_rank(path: Path) -> None:
    torch.save({**make_tensors(FAMILIES[0]), "linear1.weight": torch.zeros(2, 3, 4)}, path)


def write_nan(path: Path) -> None:
    tensors = make_tensors(FAMILIES[0])
    tensors["linear1.bias"][3] = float("nan")
    torch.save(tensors, path)


def write_image(path: Path) -> None:
    imageio.imwrite(path, np.zeros((64, 64, 3), np.uint8), extension=".png")


HOSTILE = {
    "a system call in a torch file": (write_hostile, "may run code"),
    "a system call in a pickle": (write_pickle, "may run code"),
    "a pickle that claims a terabyte": (write_claiming_pickle, "broken pickle"),
    "a pickle that grows": (write_growing_pickle, "no checkpoint"),
    "a pickle of two million lists": (write_long_pickle, "no network"),
    "a truncated pickle": (write_cut_pickle, "cut short"),
    "a truncated zip": (write_truncated, "no checkpoint"),
    "half a zip": (write_cut_zip, "cut short"),
    "a zip bomb": (write_bomb, "would unpack to"),
    "a tensor that claims terabytes": (write_claim, "linear1.weight"),
    "a tensor of wrong rank": (write_wrong_rank, "linear1.weight"),
    "NaN": (write_nan, "linear1.bias"),
    "text": (write_text, "no checkpoint"),
    "an image": (write_image, "no checkpoint"),
    "nothing": (Path.touch, "no checkpoint"),
    "a folder": (Path.mkdir, "is a folder"),
}

READ_ALL = """
import resource, sys, time
from pathlib import Path
import torch
from gbvis.errors import GbvisError
from gbvis.steps.networks import Networks, WeightsRequest
for name in sys.argv[1:]:
    started = time.process_time()
    try:
        Networks(WeightsRequest((Path(name),)))
    except GbvisError as error:
        print(f"{time.process_time() - started:.3f} {error.problem}")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_hostile_files_are_refused_within_a_second_and_a_gigabyte(tmp_path: Path) -> None:
    """Each in a process that has imported torch: processor time, and the memory of all together."""
    paths = []
    for number, (write, _) in enumerate(HOSTILE.values()):
        paths.append(str(tmp_path / f"{number}.pth"))
        write(Path(paths[-1]))
    done = subprocess.run([sys.executable, "-c", READ_ALL, *paths], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *lines, kilobytes = done.stdout.splitlines()
    assert len(lines) == len(HOSTILE)
    for line, (name, (_, found)) in zip(lines, HOSTILE.items(), strict=True):
        assert found in line, name
        assert float(line.split()[0]) < 1, name
    assert int(kilobytes) < 1_000_000
    assert not Path("/tmp/gbvis-was-run").exists()


def test_a_made_checkpoint_is_an_old_one(weights: dict[str, Path], make_weights: ModuleType) -> None:
    (state,) = read_state_dicts(weights["flow"])
    assert state.declared_modality == "flow"
    network = build_network(state, FAMILIES, "0" * 64)
    assert network.module.architecture == make_weights.make_architecture(1)
    assert network.card.labels and network.card.labels[0] == "ApplyEyeMakeup"
