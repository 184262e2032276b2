import pickle
from pathlib import Path

import pytest
import torch

from gbvis.errors import WeightsError
from gbvis.networks.r2plus1d.formats import VMZ_CAFFE2
from gbvis.networks.weights.caffe2_pickle import read_caffe2_pickle
from gbvis.steps.networks import Networks, WeightsRequest
from material.checkpoints import make_tensors
from networks.weights.test_hostile_files import HAS_RUN, Hostile


def test_caffe2s_names_in_a_torch_file(tmp_path: Path) -> None:
    torch.save(make_tensors(VMZ_CAFFE2), tmp_path / "net.pth")
    assert Networks(WeightsRequest((tmp_path / "net.pth",))).infos["rgb"].checkpoint_format == "vmz-caffe2"


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_caffe2_pickle_written_by_python_2(tmp_path: Path, is_wrapped: bool) -> None:
    """Protocol 2 and byte strings, beside what training leaves in such a file."""
    tensors = {**make_tensors(VMZ_CAFFE2), "conv1_w_momentum": torch.zeros(3), "lr": torch.zeros(1)}
    blobs = {name: tensor.numpy() for name, tensor in tensors.items()}
    content = pickle.dumps({"blobs": blobs} if is_wrapped else blobs, protocol=2).replace(b"numpy._core", b"numpy.core")
    (tmp_path / "net.pkl").write_bytes(content)
    info = Networks(WeightsRequest((tmp_path / "net.pkl",))).infos["rgb"]
    assert (info.checkpoint_format, info.class_count, info.details["depth"]) == ("vmz-caffe2", 11, 12)
    assert info.details["variant"]["norm_epsilon"] == 1e-3


def test_a_caffe2_data_base_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    key, value = b"!!META_NET_DEF", bytes(500)
    record = len(key).to_bytes(4, "little") + len(value).to_bytes(4, "little") + key + value
    (tmp_path / "net.mdl").write_bytes(record)
    with pytest.raises(WeightsError, match="Caffe2 data base") as error:
        Networks(WeightsRequest((tmp_path / "net.mdl",)))
    assert "minidb_to_pickle.py" in error.value.hint


def test_a_pickle_that_would_run_code_does_not(tmp_path: Path) -> None:
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"blobs": {"conv1_w": Hostile()}}, protocol=2))
    with pytest.raises(WeightsError, match="may run code"):
        read_caffe2_pickle(tmp_path / "net.pkl")
    assert not HAS_RUN.exists()


@pytest.mark.parametrize("content", [pickle.dumps([1]), pickle.dumps({"a": 1}), pickle.dumps({"blobs": 3})])
def test_a_pickle_of_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pkl").write_bytes(content)
    with pytest.raises(WeightsError, match="a pickle without named arrays"):
        read_caffe2_pickle(tmp_path / "net.pkl")


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x80\x02garbage", b"text"])
def test_what_is_no_caffe2_pickle_is_left_to_torch(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pkl").write_bytes(content)
    assert read_caffe2_pickle(tmp_path / "net.pkl") is None


def test_a_pickle_that_is_said_to_be_of_another_format_is_refused(tmp_path: Path) -> None:
    blobs = {name: tensor.numpy() for name, tensor in make_tensors(VMZ_CAFFE2).items()}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
    with pytest.raises(WeightsError, match="checkpoint of the vmz format") as error:
        Networks(WeightsRequest((tmp_path / "net.pkl",), checkpoint_format="vmz"))
    assert "the names of vmz-caffe2" in error.value.hint
    assert Networks(WeightsRequest((tmp_path / "net.pkl",), checkpoint_format="vmz-caffe2")).infos
