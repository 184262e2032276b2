"""Weights files as other programs wrap them: each gives the network that the bare file gives."""

import datetime
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from conftest import SHARED
from gbvis.errors import WeightsError
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, R2PLUS1D_PYTORCH, TORCHVISION
from gbvis.networks.weights.safetensors_file import write_safetensors
from material.checkpoints import make_tensors
from networks.weights.test_hostile_files import HAS_RUN, Hostile

FIELD = SHARED / "field/weights"
Tensors = dict[str, Tensor]


def load(path: Path, state: str | None = None) -> Network:
    (network,) = load_networks(path, "0" * 64, state=state)
    return network


def saved(path: Path, held: object, **said: Any) -> Network:
    torch.save(held, path)
    return load(path, **said)


def named(tensors: Mapping[str, Tensor], before: str) -> Tensors:
    return {f"{before}{name}": tensor for name, tensor in tensors.items()}


def other(tensors: Mapping[str, Tensor]) -> Tensors:
    """Return the network after another step of training."""
    return {name: tensor + 1 for name, tensor in tensors.items()}


def renamed(tensors: Mapping[str, Tensor], old: str, new: str) -> Tensors:
    return {name.replace(old, new, 1) if name.startswith(old) else name: tensor for name, tensor in tensors.items()}


def optimizer_state() -> dict[str, Any]:
    """Return what an optimiser keeps of a network, once it has made a step."""
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def averaged_model(tensors: Tensors) -> Tensors:
    """Return what `torch.optim.swa_utils.AveragedModel` saves: a counter without a prefix among prefixed names."""
    return {"n_averaged": torch.tensor(7), **named(tensors, "module.")}


WRAPPED: dict[str, Callable[[Tensors], object]] = {
    "DataParallel": lambda t: named(t, "module."),
    "DataParallel twice": lambda t: named(t, "module.module."),
    "torch.compile": lambda t: named(t, "_orig_mod."),
    "DDP and compile": lambda t: named(t, "module._orig_mod."),
    "compile and DDP in a model": lambda t: {"state_dict": named(t, "_orig_mod.module.model.net.")},
    "a word nobody knows": lambda t: {"weights": named(t, "my_video_encoder.")},
    "a key nobody knows": lambda t: {"epoch": 3, "anything": OrderedDict(t)},
    "keys in each other": lambda t: {"run": {"last": {"net": t}}},
    "a whole training state": lambda t: {"net": t, "optimizer": optimizer_state(), "epoch": 3, "best_acc": 0.5},
    "moments under the names of weights": lambda t: {"model": t, "optim": {"exp_avg": other(t)}, "momentum": other(t)},
    "whole numbers as keys": lambda t: {0: 1, "state_dict": t, (1, 2): "x"},
    "a counter of averages": lambda t: {"ema": averaged_model(t)},
    "Lightning with a loss": lambda t: {
        "state_dict": {**named(t, "model."), "criterion.weight": torch.ones(11), "val_acc.total": torch.ones(2)},
        "hyper_parameters": {"lr": 0.1},
    },
    "the same weights twice": lambda t: {"model": t, "state_dict": t},
    "NumPy's numbers and arrays": lambda t: {
        "best": np.float64(0.5), "seed": np.int64(3), "ok": np.bool_(True), "curve": np.zeros(4), "state_dict": t,
    },
    "other data": lambda t: {
        "when": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), "where": Path("a/b"), "rest": SimpleNamespace(lr=1),
        "losses": deque([1.0, 2.0]), "by_name": defaultdict(list, a=[1]), "set": {1}, "frozen": frozenset({1}),
        "took": datetime.timedelta(1), "complex": 1j, "state_dict": t,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [TORCHVISION, *(pytest.param(one, marks=pytest.mark.slow) for one in (OLD_SCRIPT, R2PLUS1D_PYTORCH))],
    ids=lambda form: form.name,
)
def test_a_wrapped_copy_is_the_same_network(tmp_path: Path, form: Any) -> None:
    tensors = make_tensors(form)
    plain = saved(tmp_path / "plain.pth", tensors).info
    for name, wrap in WRAPPED.items():
        info = saved(tmp_path / "wrapped.pth", wrap(tensors)).info
        assert (info.identity, info.checkpoint_format, info.states) == (plain.identity, form.name, ()), name


HEADS: dict[str, Callable[[Tensors], Tensors]] = {
    "behind a dropout": lambda t: renamed(t, "fc.", "fc.1."),
    "deeper": lambda t: renamed(t, "fc.", "fc.head.2."),
    "beside a backbone": lambda t: renamed(named(t, "backbone."), "backbone.fc.", "cls_head.fc_cls."),
    "in a wrapped detector": lambda t: named(renamed(named(t, "net."), "net.fc.", "classifier."), "module.model."),
    "behind a dropout in a backbone": lambda t: renamed(named(t, "backbone."), "backbone.fc.", "backbone.fc.1."),
    "beside bare names": lambda t: renamed(t, "fc.", "new_head."),
}


@pytest.mark.parametrize("head", HEADS)
def test_a_classifier_under_another_name(tmp_path: Path, head: str) -> None:
    tensors = make_tensors(TORCHVISION)
    plain = saved(tmp_path / "plain.pth", tensors)
    assert saved(tmp_path / "other.pth", HEADS[head](tensors)).info.identity == plain.info.identity


def test_a_head_that_the_network_does_not_have_is_refused(tmp_path: Path) -> None:
    tensors = make_tensors(TORCHVISION)
    layers = {"fc.0.weight": torch.zeros(16, 16), "fc.0.bias": torch.zeros(16)}
    with pytest.raises(WeightsError, match=r"a head of 2 linear layers, fc\.3, fc\.0"):
        saved(tmp_path / "two.pth", {**renamed(tensors, "fc.", "fc.3."), **layers})
    with pytest.raises(WeightsError, match=r"box_regression\.weight"):
        saved(tmp_path / "no.pth", {**named(tensors, "backbone."), "box_regression.weight": torch.zeros(4, 16)})


AVERAGED: dict[str, tuple[Callable[[Tensors, Tensors], object], str, str]] = {
    "timm": (lambda raw, ema: {"state_dict": raw, "state_dict_ema": ema}, "state_dict_ema", "state_dict"),
    "torchvision": (lambda raw, ema: {"model": raw, "model_ema": averaged_model(ema)}, "model_ema", "model"),
    "nested": (
        lambda raw, ema: {"model": named(raw, "module."), "ema": {"decay": 0.9, "shadow": ema}},
        "ema.shadow",
        "model",
    ),
    "one dict": (lambda raw, ema: {**named(raw, "model."), **named(ema, "ema_model.")}, "ema_model", "model"),
    "one dict, wrapped": (
        lambda raw, ema: {"state_dict": {**named(raw, "module.net."), **named(ema, "module.net_ema.module.")}},
        "state_dict.net_ema",
        "net",
    ),
    "bare beside": (lambda raw, ema: {**raw, **named(ema, "ema.")}, "ema", "raw"),
}


@pytest.mark.parametrize("case", AVERAGED)
def test_averaged_weights_are_taken_and_said(tmp_path: Path, case: str) -> None:
    wrap, ema_name, raw_name = AVERAGED[case]
    raw = make_tensors(TORCHVISION)
    ema = other(raw)
    expected = {name: saved(tmp_path / "one.pth", one).info.identity for name, one in (("raw", raw), ("ema", ema))}
    network = saved(tmp_path / "both.pth", wrap(raw, ema))
    assert network.info.identity == expected["ema"] and network.info.states[0] == ema_name
    assert load(tmp_path / "both.pth", raw_name).info.identity == expected["raw"]
    assert load(tmp_path / "both.pth", ema_name).info.identity == expected["ema"]
    with pytest.raises(WeightsError, match="no state 'third'") as error:
        load(tmp_path / "both.pth", "third")
    assert ema_name in error.value.hint


AMBIGUOUS: dict[str, Callable[[Tensors], object]] = {
    "student and teacher": lambda t: {"student": t, "teacher": other(t)},
    "in one dict": lambda t: {**named(t, "student."), **named(other(t), "teacher.")},
    "two averages": lambda t: {"model": t, "ema": other(t), "model_ema": other(other(t))},
    "the best and an average": lambda t: {"best": t, "ema": other(t)},
    "the best and the last": lambda t: {"best_state": t, "last_state": other(t)},
    "the best beside bare names": lambda t: {"state_dict": t, "best_state_dict": other(t)},
    "the best's average and the last's": lambda t: {"ema": {"best": t, "last": other(t)}, "last": other(other(t))},
    "splits": lambda t: {"content": {"rgb": {"split1": {"state_dict": t}, "split2": {"state_dict": other(t)}}}},
    "a stream and another": lambda t: {"rgb": t, "model": other(t)},
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_what_is_ambiguous_is_refused_and_can_be_said(tmp_path: Path, case: str) -> None:
    tensors = make_tensors(TORCHVISION)
    with pytest.raises(WeightsError, match="holds several networks: ") as error:
        saved(tmp_path / "several.pth", AMBIGUOUS[case](tensors))
    state = error.value.hint.split()[-1]
    assert state in error.value.problem
    assert load(tmp_path / "several.pth", state).info.identity == saved(tmp_path / "one.pth", tensors).info.identity


def test_the_state_that_is_proposed_can_be_read(tmp_path: Path) -> None:
    """Names alone told that the first is a network."""
    tensors = make_tensors(TORCHVISION)
    plain = saved(tmp_path / "one.pth", tensors).info.identity
    broken = {name: one for name, one in tensors.items() if name != "layer2.0.conv1.0.0.weight"}
    with pytest.raises(WeightsError, match="holds several networks: broken, whole") as error:
        saved(tmp_path / "two.pth", {"broken": broken, "whole": tensors})
    state = error.value.hint.split()[-1]
    assert state == "whole" and load(tmp_path / "two.pth", state).info.identity == plain


def make_slow_fast() -> Tensors:
    """Return some tensors of a SlowFast as MMAction2 names them: two pathways, each with the names of an ir-CSN."""
    made: Tensors = {"cls_head.fc_cls.weight": torch.zeros(5, 40), "cls_head.fc_cls.bias": torch.zeros(5)}
    for pathway, depth in (("slow_path", 1), ("fast_path", 5)):
        shapes = {"conv1": (4, 3, depth, 7, 7)}
        for stage in range(1, 5):
            shapes |= {f"layer{stage}.0.conv{number}": (4, 4, 1, 1, 1) for number in (1, 2, 3)}
        for name, shape in shapes.items():
            made[f"backbone.{pathway}.{name}.conv.weight"] = torch.zeros(shape)
            made |= {f"backbone.{pathway}.{name}.bn.{part}": torch.ones(shape[0]) for part in ("weight", "bias")}
    return made


def test_of_parts_that_cannot_be_read_none_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="none that gbvis can read; nearest is .* mmaction2-ircsn format") as error:
        saved(tmp_path / "slowfast.pth", {"meta": {}, "state_dict": make_slow_fast()})
    assert r"backbone.slow_path, state_dict.backbone.fast_path" in error.value.problem
    assert "is missing layer1.0.conv2.0.conv.weight" in error.value.problem
    assert "--state" not in error.value.hint and "--network" in error.value.hint


def test_copies_are_one_network(tmp_path: Path) -> None:
    """Equal tensors, wherever they lie; and the average of the best epoch is an average like others."""
    tensors = make_tensors(TORCHVISION)
    plain = saved(tmp_path / "plain.pth", tensors).info.identity
    copy = {name: tensor.clone() for name, tensor in tensors.items()}
    for held in (
        {"best": tensors, "last": copy},
        {"best_ema": tensors, "best": other(copy)},
        {"a": copy, "b": tensors},
    ):
        assert saved(tmp_path / "two.pth", held).info.identity == plain


def test_plain_safetensors(tmp_path: Path) -> None:
    tensors = make_tensors(TORCHVISION)
    plain = saved(tmp_path / "plain.pth", tensors)
    path = tmp_path / "plain.safetensors"
    for held in (tensors, named(tensors, "module."), {**named(other(tensors), "net."), **named(tensors, "ema.")}):
        safetensors.torch.save_file(held, path, metadata={"format": "pt"})
        assert load(path).info.identity == plain.info.identity
    write_safetensors(path, [plain], {})
    assert load(path).info.identity == plain.info.identity
    with pytest.raises(WeightsError, match="no state 'ema'"):
        load(path, "ema")


UNKNOWN: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "a part of a 3-D network": (
        lambda t: {
            "stem.0.weight": torch.zeros(4, 3, 3, 7, 7),
            "layer1.0.conv1.0.weight": torch.zeros(4, 4, 3, 3, 3),
            "fc.weight": torch.zeros(5, 4),
            "fc.bias": torch.zeros(5),
        },
        r"is missing layer1\.0\.conv2\.0\.weight, layer2\.0\.conv1\.0\.weight.*torchvision-r3d format",
    ),
    "a 2-D network": (
        lambda t: {"conv1.weight": torch.zeros(4, 3, 7, 7), "fc.weight": torch.zeros(5, 4), "fc.bias": torch.zeros(5)},
        r"nearest is R\(2\+1\)D of the torchvision format.*2 of its 3 tensors.*missing stem\.0\.weight.*conv1\.weight",
    ),
    "a part of a network": (
        lambda t: {name: tensor for name, tensor in t.items() if name.startswith("layer")},
        r"is missing stem\.0\.weight, stem\.3\.weight, fc\.weight and 1 more",
    ),
    "PyTorchVideo's SlowFast": (
        lambda t: {
            f"blocks.{block}.multipathway_blocks.{pathway}.res_blocks.0.branch2.conv_a.weight": torch.zeros(
                4, 4, 3, 1, 1
            )
            for block in (1, 2)
            for pathway in (0, 1)
        },
        r"nearest is .*pytorchvideo-.*none of its 4 tensors has such a name.*missing blocks\.0\.conv\.weight",
    ),
    "nothing in common": (lambda t: {"embedding": torch.zeros(4, 4)}, "tensors are named embedding"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_network_is_told_by_what_differs(tmp_path: Path, case: str) -> None:
    make, found = UNKNOWN[case]
    with pytest.raises(WeightsError, match=found):
        saved(tmp_path / "unknown.pth", {"state_dict": named(make(make_tensors(TORCHVISION)), "module.")})


def test_what_stands_beside_may_be_harmless_and_nothing_more(tmp_path: Path) -> None:
    for beside in (Hostile(), np.array([Hostile()], dtype=object), defaultdict(Hostile().__reduce__)):
        with pytest.raises(WeightsError, match="may run code"):
            saved(tmp_path / "hostile.pth", {"state_dict": make_tensors(OLD_SCRIPT), "beside": beside})
    assert not HAS_RUN.exists()


def test_a_tree_that_holds_itself_a_million_times_is_walked_once(tmp_path: Path) -> None:
    tree: dict[str, Any] = {"net": make_tensors(TORCHVISION)}
    for _ in range(11):
        tree = {str(number): tree for number in range(9)}
    assert saved(tmp_path / "net.pth", tree).info.states == ()
    saved(tmp_path / "long.pth", named(make_tensors(TORCHVISION), "a." * 9))
    with pytest.raises(WeightsError):
        saved(tmp_path / "long.pth", named(make_tensors(TORCHVISION), "a." * 10_000))
    with pytest.raises(WeightsError):
        saved(tmp_path / "long.pth", renamed(make_tensors(TORCHVISION), "fc.", "_" * 200_000 + "."))


def test_a_crowd_of_networks_is_refused_at_once(tmp_path: Path) -> None:
    path, crowd = (
        tmp_path / "crowd.safetensors",
        {f"n{number}.stem.0.weight": torch.tensor([number]) for number in range(600)},
    )
    for held, found in (
        (
            {"a." * number + "stem.0.weight": torch.ones(1) for number in range(600)},
            r"crowd\.safetensors",
        ),  # one in the other
        ({**crowd, "beside.weight": torch.ones(1)}, "is no checkpoint that gbvis knows"),  # it may go with each
    ):
        safetensors.torch.save_file(held, path)
        with pytest.raises(WeightsError, match=found):
            load(path)
    torch.save(
        {str(number): {"stem.0.weight": one} for number, one in enumerate(crowd.values())}, tmp_path / "crowd.pth"
    )
    with pytest.raises(WeightsError, match="holds several networks: 0, 1"):
        load(tmp_path / "crowd.pth")


@pytest.mark.skipif(not FIELD.is_dir(), reason="needs ../shared/field")
def test_the_files_of_the_field() -> None:
    plain = load(FIELD / "plain.safetensors").info.identity
    for name in ("compiled", "dp_twice", "dropout_head", "ema", "intkeys", "model_state_key", "np_scalar"):
        assert load(FIELD / f"{name}.pth").info.identity == plain, name
    assert load(FIELD / "confident.pth").info.identity != plain
    with pytest.raises(WeightsError, match=r"torchvision.*2 of its 6 tensors.*stem\.0\.weight.*conv1_s\.weight"):
        load(FIELD / "kenshohara.pth")
