"""Prepared networks in the user's cache folder: the same bits, and never a wrong or a half one."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import IO

import numpy as np
import pytest
import torch

from conftest import Call
from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import UsageError
from gbvis.networks import kept
from gbvis.networks.endpoint import Target
from gbvis.networks.info import WeightsInfo
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.load import KIND
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.store import Store


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of prepared networks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/gbvis/networks"


@pytest.fixture
def store(tmp_path: Path, weights: dict[str, Path]) -> Store:
    """A store that knows the tiny RGB network."""
    store = Store.open_or_create(tmp_path / "some.zarr")
    Networks(WeightsRequest((weights["rgb"],)), store).keep_records(store)
    return store


def wait() -> None:
    """Wait until all is kept that is being kept."""
    for thread in threading.enumerate():
        if "prepared network" in thread.name:
            thread.join()


def load(
    weights: Path, store: Store | None, precision: str = "float32", say: Callable[[str], None] = lambda line: None
) -> Network:
    """Return the RGB network as a new process loads it; what is kept of it is on the disk."""
    network = Networks(WeightsRequest((weights,), device="cpu", precision=precision), store, say).load("rgb")
    wait()
    return network


def explain(network: Network) -> np.ndarray:
    """Return a gradient."""
    clip = np.random.default_rng(0).integers(0, 256, (8, 112, 112, 3), np.uint8)
    assert network.info.scores
    with network.precision_scope(), Graph(network, [clip]) as graph:
        graph.forward({network.info.scores})
        (pending,) = graph.attribute(GuidedBackprop(), [Target(network.info.scores, 1)])
        return pending.values.array().copy()


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail that reads a weights file."""
    monkeypatch.setattr("gbvis.networks.load.load_networks", lambda *_: pytest.fail("the weights were read"))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_kept_network_computes_the_same_bits_and_reads_no_weights(
    precision: str, weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = load(weights["rgb"], store, precision)
    with monkeypatch.context() as patched:
        forbid_reading(patched)
        again = load(weights["rgb"], store, precision)
        assert np.array_equal(explain(fresh), explain(again))
    strides = {name: one.stride() for name, one in fresh.fused.state_dict().items()}
    assert strides == {name: one.stride() for name, one in again.fused.state_dict().items()}
    assert (again.info, again.dtype, again.precision) == (fresh.info, fresh.dtype, fresh.precision)
    assert not any(part.training for part in again.fused.modules())
    for name, tensor in fresh.module.state_dict().items():  # the plain one is read when somebody asks
        assert torch.equal(tensor, again.module.state_dict()[name])


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "break_it", [flip_a_byte, lambda path: os.truncate(path, 1000), lambda path: os.truncate(path, 0)]
)
def test_a_damaged_file_is_removed_and_made_again(
    break_it: Callable[[Path], None], weights: dict[str, Path], store: Store
) -> None:
    fresh = load(weights["rgb"], store)
    (held,) = kept.list_networks()
    break_it(held.path)
    said: list[str] = []
    assert np.array_equal(explain(load(weights["rgb"], store, say=said.append)), explain(fresh))
    assert len(said) == 1 and "damaged" in said[0]
    assert kept.list_networks()[0].path == held.path and kept.list_networks()[0].size == held.size


def test_another_release_and_another_form_are_other_files(
    weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = load(weights["rgb"], store).info
    keys = {kept.make_key(info, None, "float32", 1), kept.make_key(info, "vmz", "float32", 1)}
    keys |= {kept.make_key(info, None, "bfloat16", 1), kept.make_key(info, None, "float32", 2)}
    monkeypatch.setattr(kept, "MADE_BY", "9.9.9, formats 4")
    keys.add(kept.make_key(info, None, "float32", 1))
    monkeypatch.setattr(KIND, "fused_version", 99, raising=False)
    keys.add(kept.make_key(info, None, "float32", 1))
    assert len(keys) == 6
    monkeypatch.setattr(KIND, "fused_version", 0)
    assert kept.make_key(info, None, "float32", 1) is None


def test_a_changed_checkpoint_is_another_network(
    tmp_path: Path, make_weights: ModuleType, weights: dict[str, Path], store: Store
) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(weights["rgb"].read_bytes())
    first = load(path, store)
    state_dict = make_weights.make_state_dict(make_weights.make_architecture(3), 9)
    torch.save({"content": {"rgb": {"split1": {"state_dict": state_dict}}}}, path)
    assert load(path, store).info.identity != first.info.identity
    assert len(kept.list_networks()) == 2


def test_what_contradicts_the_store_is_refused(
    weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(weights["rgb"], store)
    from_json = WeightsInfo.from_json
    monkeypatch.setattr(WeightsInfo, "from_json", lambda data: from_json({**data, "fusion_weight": 0.3}))
    with pytest.raises(UsageError, match="not what the file holds"):
        networks = Networks(WeightsRequest((weights["rgb"],), device="cpu"), store)
        monkeypatch.undo()
        networks.load("rgb")


def test_a_folder_that_cannot_be_written_changes_nothing(
    tmp_path: Path, weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = explain(load(weights["rgb"], None))
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert np.array_equal(explain(load(weights["rgb"], store)), expected)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    assert kept.find_folder() is None
    assert np.array_equal(explain(load(weights["rgb"], store)), expected)


def test_a_full_disk_leaves_nothing(
    folder: Path, weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(held: object, file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fill)
    load(weights["rgb"], store)
    assert list(folder.iterdir()) == []


def test_the_least_recently_used_go_first(
    folder: Path, weights: dict[str, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(weights["rgb"], store)
    (first,) = kept.list_networks()
    for number in range(3):
        (folder / f"old{number}-0.pt").write_bytes(b"x" * (first.size // 4))
        os.utime(folder / f"old{number}-0.pt", (number, number))
    (folder / ".killed.partial").touch()
    os.utime(folder / ".killed.partial", (0, 0))
    os.utime(first.path, (10, 10))
    load(weights["rgb"], store)  # touches it
    monkeypatch.setattr(kept, "LARGEST", first.size * 19 // 10)
    load(weights["rgb"], store, "bfloat16")
    assert sorted(path.name.split("-")[0] for path in folder.iterdir() if path.name.startswith("o")) == ["old2"]
    assert first.path.exists() and not (folder / ".killed.partial").exists()


@pytest.mark.slow
def test_two_processes_may_make_it_at_once(
    tmp_path: Path, weights: dict[str, Path], store: Store, folder: Path, video_file: Path
) -> None:
    words = [sys.executable, "-m", "gbvis", "explain", str(video_file), "-w", str(weights["rgb"]), "--device", "cpu"]
    started = [
        subprocess.Popen([*words, "--store", str(tmp_path / f"{number}.zarr")], stdout=subprocess.DEVNULL)
        for number in range(2)
    ]
    assert [one.wait(300) for one in started] == [0, 0]
    assert len(kept.list_networks()) == 1 and not list(folder.glob(".*"))
    assert np.array_equal(explain(load(weights["rgb"], store)), explain(load(weights["rgb"], None)))


def test_store_commands_list_and_remove_them(
    call: Call, weights: dict[str, Path], video_file: Path, folder: Path
) -> None:
    assert call("store", "rm", "--networks", "--yes").out == "removed nothing (0 bytes)\n"
    assert call("explain", video_file, "-w", weights["rgb"], "--device", "cpu").code == 0
    wait()
    (held,) = folder.iterdir()
    last = call("store", "ls").out.splitlines()[-1]
    assert last.startswith("prepared networks: 1, ") and last.endswith(str(folder))
    assert "prepared" not in call("store", "ls", "--json").out
    assert "would remove 1 prepared network (" in call("store", "rm", "--networks", "--dry-run").out
    assert held.exists()
    assert '"kind": "network"' in call("store", "rm", "--networks", "--yes", "--json").out
    assert not held.exists()
    assert call("store", "rm", "--networks", "--all").code == 2
    assert "prepared" not in call("store", "ls").out
