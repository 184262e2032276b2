"""The contract of a checkpoint format: every registered one reads its own files, strictly."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.errors import UsageError, WeightsError
from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.formats import VMZ, VMZ_CAFFE2
from gbvis.networks.r2plus1d.load import KIND, describe
from gbvis.networks.r2plus1d.module import NormedConvolution, R2Plus1D
from gbvis.networks.weights import NamedTensors
from gbvis.registry import Registry
from gbvis.steps.networks import Networks, WeightsRequest
from material.checkpoints import ALL_FORMATS, build, fitted, make_architecture, make_tensors


@pytest.mark.parametrize("form", ALL_FORMATS, ids=lambda form: form.name)
class TestEveryFormat:
    def test_its_file_gives_its_network(self, form: CheckpointFormat) -> None:
        tensors = make_tensors(form)
        network = build(tensors)
        assert network.info.checkpoint_format == form.name
        assert network.info.details["depth"] == 2 + 2 * 5
        assert network.module.architecture == make_architecture(form)
        for name, tensor in network.module.state_dict().items():
            theirs = str(fitted(form).name_of(name))
            assert torch.equal(tensor, tensors.get(theirs, torch.tensor(0)))  # counters may be missing
        assert list(network.info.targets) == [endpoint.name for endpoint in ENDPOINTS]
        assert not any(parameter.requires_grad for parameter in network.module.parameters())
        assert not network.module.training

    @pytest.mark.slow
    def test_every_missing_parameter_is_named(self, form: CheckpointFormat) -> None:
        whole = make_tensors(form)
        for name in whole:
            if name.endswith("num_batches_tracked"):
                continue
            tensors = dict(whole)
            del tensors[name]
            with pytest.raises(WeightsError) as error:
                build(tensors)
            assert name in error.value.problem, name

    def test_its_networks_differ_from_the_others_in_every_known_way(self, form: CheckpointFormat) -> None:
        network = build(make_tensors(form))
        assert network.info.details["variant"] == asdict(form.variant)
        norms = [module for module in network.module.modules() if isinstance(module, torch.nn.BatchNorm3d)]
        assert {norm.eps for norm in norms} == {form.variant.norm_epsilon}

    @pytest.mark.slow
    def test_every_misshapen_parameter_is_named(self, form: CheckpointFormat) -> None:
        """Each in one of two ways in turn: too large in its last axis, or a single number."""
        whole = make_tensors(form)
        for number, (name, tensor) in enumerate(whole.items()):
            if tensor.ndim == 0:
                continue
            misshapen = tensor.flatten()[:1] if number % 2 else tensor.repeat_interleave(2, dim=tensor.ndim - 1)
            with pytest.raises(WeightsError) as error:
                build(whole | {name: misshapen})
            assert name in error.value.problem

    def test_spare_parameters_are_named_and_counted(self, form: CheckpointFormat) -> None:
        spare = {f"extra.{number}": torch.zeros(1) for number in range(5)}
        with pytest.raises(WeightsError, match=r"extra\.0, extra\.1, extra\.2 and 2 more"):
            build(make_tensors(form) | spare)

    def test_a_weight_that_is_no_number_is_named(self, form: CheckpointFormat) -> None:
        tensors = make_tensors(form)
        name = str(fitted(form).name_of("stages.1.0.second.spatial.norm.running_mean"))
        tensors[name][0] = float("nan")
        with pytest.raises(WeightsError, match="NaN or infinity") as error:
            build(tensors)
        assert name in error.value.problem

    @pytest.mark.parametrize("value", ["text", 3, [1.0], torch.zeros(3, dtype=torch.bool), torch.zeros(3).to_sparse()])
    def test_a_value_that_is_no_plain_tensor_is_named(self, form: CheckpointFormat, value: object) -> None:
        for parameter in ("stem.spatial.convolution.weight", "classifier.bias"):
            tensors = make_tensors(form)
            tensors[fitted(form).name_of(parameter)] = value  # type: ignore[assignment]
            with pytest.raises(WeightsError) as error:
                build(tensors)
            assert fitted(form).name_of(parameter) in error.value.problem

    def test_half_precision_is_computed_in_full(self, form: CheckpointFormat) -> None:
        tensors = make_tensors(form)
        network = build({n: t.half() if t.is_floating_point() else t for n, t in tensors.items()})
        assert {tensor.dtype for tensor in network.module.parameters()} == {torch.float32}

    def test_the_stream_is_read_from_the_stem_and_checked(self, form: CheckpointFormat) -> None:
        assert build(make_tensors(form)).info.modality == "rgb"
        with pytest.raises(WeightsError, match="says it is for flow"):
            build(make_tensors(form), "flow")
        with pytest.raises(WeightsError, match="takes 4 input channels"):
            build(make_tensors(form, channels=4))
        for channels in (1, 2):
            if "flow" in form.formats:
                info = build(make_tensors(form, channels), "flow").info
                assert info.modality == "flow" and info.interleaved == (channels == 1)
            else:
                with pytest.raises(WeightsError, match="reads none"):
                    build(make_tensors(form, channels))


def test_foreign_names_are_no_checkpoint() -> None:
    with pytest.raises(WeightsError, match=r"layer\.weight"):
        build({"layer.weight": torch.zeros(1)})


def test_vmz_and_torchvision_are_told_apart_by_shapes() -> None:
    """Their names are the same; with the other's epsilon the scores would be silently off."""
    by_name = FORMATS.load_all()
    for name in ("vmz", "torchvision"):
        info = build(make_tensors(by_name[name])).info
        assert info.checkpoint_format == name
        assert info.details["variant"]["norm_epsilon"] == {"vmz": 1e-3, "torchvision": 1e-5}[name]


@pytest.mark.parametrize(
    ("like", "names"),
    [("vmz", ("old-script", "vmz", "vmz-caffe2")), ("torchvision", ("old-script", "torchvision", "vmz-caffe2"))],
)
def test_the_same_network_in_every_formats_names_gives_the_same_scores(
    random: np.random.Generator, like: str, names: tuple[str, ...]
) -> None:
    """What differs by design (padding, epsilon) is set to the same before; R2Plus1D-PyTorch's stem has no like."""
    by_name = FORMATS.load_all()
    clip = torch.from_numpy(random.standard_normal((1, 3, 8, 64, 64)).astype(np.float32))
    torch.manual_seed(3)
    source = R2Plus1D(make_architecture(by_name[like]), by_name["vmz"].variant).eval()
    expected = source(clip)
    for name in names:
        named = fitted(by_name[name])
        tensors = {str(named.name_of(key)): t for key, t in source.state_dict().items() if "batches" not in key}
        network = build(tensors)
        assert network.info.checkpoint_format == name
        for module in network.module.modules():
            if isinstance(module, NormedConvolution):
                module.padding = "symmetric"
                module.convolution.padding = tuple(size // 2 for size in module.convolution.kernel_size)
            if isinstance(module, torch.nn.BatchNorm3d):
                module.eps = 1e-3
        torch.testing.assert_close(network.module(clip), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("form", ALL_FORMATS, ids=lambda form: form.name)
class TestWhatCannotBeComputedWith:
    def test_no_classes(self, form: CheckpointFormat) -> None:
        named = fitted(form)
        empty = {
            str(named.name_of("classifier.weight")): torch.zeros(0, 16),
            str(named.name_of("classifier.bias")): torch.zeros(0),
        }
        with pytest.raises(WeightsError, match="with shape") as error:
            build(make_tensors(form) | empty)
        assert str(named.name_of("classifier.weight")) in error.value.problem

    def test_numbers_that_are_too_large_for_float32(self, form: CheckpointFormat) -> None:
        name = str(fitted(form).name_of("classifier.bias"))
        with pytest.raises(WeightsError, match="NaN or infinity"):
            build(make_tensors(form) | {name: torch.full((11,), 1e48, dtype=torch.float64)})

    def test_negative_variances(self, form: CheckpointFormat) -> None:
        name = str(fitted(form).name_of("stem.spatial.norm.running_var"))
        with pytest.raises(WeightsError, match="negative variances"):
            build(make_tensors(form) | {name: torch.full((6,), -1.0)})

    def test_a_whole_stage_is_missing(self, form: CheckpointFormat) -> None:
        named = fitted(form)
        lost = {
            str(named.name_of(name))
            for name in R2Plus1D(make_architecture(form), form.variant).state_dict()
            if name.startswith("stages.3.")
        }
        with pytest.raises(WeightsError, match="is missing .* and 1 more"):
            build({name: tensor for name, tensor in make_tensors(form).items() if name not in lost})

    def test_a_weight_that_does_not_take_what_comes_before_it_is_the_one_named(self, form: CheckpointFormat) -> None:
        name = str(fitted(form).name_of("stages.2.0.first.spatial.convolution.weight"))
        tensors = make_tensors(form)
        tensors[name] = tensors[name][:, :3].contiguous()
        with pytest.raises(WeightsError, match="does not fit the others") as error:
            build(tensors)
        assert name in error.value.problem


def test_formats_go_by_the_names_they_are_asked_for() -> None:
    assert [form.name for form in ALL_FORMATS] == list(FORMATS.names) == list(KIND.formats)


def test_what_fits_two_formats_asks_which_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"vmz": "gbvis.networks.r2plus1d.formats:VMZ", "twin": "material.checkpoints:TWIN"}
    monkeypatch.setattr("gbvis.networks.r2plus1d.recognise.FORMATS", Registry("checkpoint format", places))
    named = NamedTensors(Path("net.pth"), make_tensors(VMZ))
    with pytest.raises(WeightsError, match="may be of the formats vmz or twin") as error:
        KIND.build(named, None)
    assert "--checkpoint-format vmz" in error.value.hint
    _, info = KIND.build(named, "twin")
    assert (info.checkpoint_format, info.details["variant"]["norm_epsilon"]) == ("twin", 1e-5)


def test_a_format_that_is_named_is_taken(tmp_path: Path) -> None:
    """Torchvision's shapes, fine-tuned with another epsilon: the shapes alone would say torchvision."""
    path = tmp_path / "net.pth"
    torch.save(make_tensors(FORMATS.load("torchvision")), path)
    for name, expected in ((None, "torchvision"), ("vmz", "vmz")):
        info = Networks(WeightsRequest((path,), checkpoint_format=name)).infos["rgb"]
        assert info.checkpoint_format == expected
    with pytest.raises(WeightsError, match="no R\\(2\\+1\\)D checkpoint of the old-script format") as error:
        Networks(WeightsRequest((path,), checkpoint_format="old-script"))
    assert "the names of torchvision or vmz" in error.value.hint
    with pytest.raises(UsageError, match="unknown checkpoint format 'torchvison'") as error:
        WeightsRequest((path,), checkpoint_format="torchvison")
    assert "did you mean torchvision?" in error.value.hint


@pytest.mark.parametrize(("depth", "blocks"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3))])
@pytest.mark.parametrize("form", ALL_FORMATS, ids=lambda form: form.name)
def test_18_and_34_layers(form: CheckpointFormat, depth: int, blocks: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module = R2Plus1D(make_architecture(form, blocks=blocks), form.variant)
    starts = {18: (2, 4, 6), 34: (3, 7, 13)}[depth]  # VMZ's own counting
    marks = [*(f"shortcut_projection_{index}_w" for index in starts), "last_out_L11_w"]
    named = form.fitted(marks)
    tensors = {str(named.name_of(name)): tensor for name, tensor in module.state_dict().items() if "batch" not in name}
    assert build(tensors).info.details["depth"] == depth


@pytest.mark.parametrize(
    ("name", "classes", "first"),
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
def test_class_names_come_with_the_count(name: str, classes: int, first: str | None) -> None:
    form = FORMATS.load(name)
    with torch.device("meta"):
        module = R2Plus1D(replace(make_architecture(form), classes=classes), form.variant)
    info = describe(module, form, "rgb")
    assert info.class_count == classes
    assert (info.labels[0] if info.labels else None) == first
    assert info.labels is None or len(info.labels) == classes


def test_a_caffe2_flow_network_takes_motion_in_pixels() -> None:
    info = build(make_tensors(VMZ_CAFFE2, channels=2)).info
    assert (info.modality, info.interleaved, info.clip_format.is_motion, info.clip_format.frames) == (
        "flow",
        False,
        True,
        32,
    )


def test_a_flow_network_under_torchvisions_names_is_refused_and_not_misread() -> None:
    with pytest.raises(WeightsError, match="is a flow network"):
        build(make_tensors(VMZ, channels=2))
