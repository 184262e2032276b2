"""The scripts that evaluate the sample networks: what has learned nothing, and the tables."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from conftest import ROOT, load_script
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest

SAMPLE = find_weights(Path("sample"))


@pytest.fixture(scope="module")
def evaluate() -> Iterator[ModuleType]:
    """`training/evaluate.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "training")
        yield load_script(ROOT / "training/evaluate.py")


@pytest.mark.parametrize("way", ["randomise", "shuffle"])
def test_untrained_networks_are_files_like_any_other(evaluate: ModuleType, tmp_path: Path, way: str) -> None:
    untrain = getattr(evaluate, way)
    first, second = (evaluate.write_untrained(untrain, SAMPLE, seed, tmp_path / f"{seed}.pt") for seed in (0, 1))
    assert not [*tmp_path.glob("*.partial")]
    opened = {path: Networks(WeightsRequest((path,))) for path in (SAMPLE, first, second)}
    for modality in ("rgb", "flow"):
        networks = {path: one.load(modality, is_used=False) for path, one in opened.items()}
        assert len({one.info.identity for one in networks.values()}) == 3
        assert len({one.info.labels for one in networks.values()}) == 1
        states = [network.module.state_dict() for network in networks.values()]
        tensors = [{name: one.numpy() for name, one in state.items()} for state in states]
        for name, trained in tensors[0].items():
            is_alike = np.array_equal(np.sort(trained, axis=None), np.sort(tensors[1][name], axis=None))
            assert is_alike or way == "randomise"
        largest = max(tensors[0], key=lambda name: tensors[0][name].size)
        assert not np.array_equal(tensors[0][largest], tensors[1][largest])


def test_a_file_that_is_there_is_kept(evaluate: ModuleType, tmp_path: Path) -> None:
    path = evaluate.write_untrained(evaluate.shuffle, SAMPLE, 0, tmp_path / "a.safetensors")
    before = path.read_bytes(), path.stat().st_mtime_ns
    evaluate.write_untrained(evaluate.shuffle, SAMPLE, 1, path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_intervals_are_over_networks_where_there_are_several(evaluate: ModuleType) -> None:
    tables = sys.modules["check_tables"]

    def make(network: str, video: str, value: float) -> object:
        return tables.Found("random", network, "rgb", "mass", "gradient", video, value, {"edges": value / 2})

    one = [make("a", str(number), number) for number in range(4)]
    found = tables.average(one, lambda found: found.value)
    assert found.mean == 1.5 and found.interval[0] < 1 and found.interval[1] > 2
    several = [make(name, str(number), value) for name, value in {"a": 1.0, "b": 1.0}.items() for number in range(50)]
    found = tables.average([*several, make("c", "0", 4.0)], lambda found: found.value)
    assert found.mean == 2 and found.interval == (1, 4)  # each network counts alike, however many videos it has


@pytest.mark.slow
def test_a_table_has_a_row_a_method_and_one_for_each_uninformed(evaluate: ModuleType, tmp_path: Path) -> None:
    """One sample, two methods, two tests, trained and random, from the store the second time."""
    subject = evaluate.make_subject(None, ["sample:left-4"], tmp_path / "store.zarr", 1, {"endpoints": "FC"})
    part = evaluate.Part(["mass", "time"], ["gradient", "guided-backprop"], 160)
    found = list(subject.run(part))
    assert {(one.learned, one.modality) for one in found} == {
        (learned, modality) for learned in ("trained", "random", "shuffled") for modality in ("rgb", "flow")
    }
    sections = list(evaluate.lay_out(found))
    assert sections == list(evaluate.lay_out(list(subject.run(part))))
    assert sections[::2] == ["## `mass`", "## `time`"]
    lines = sections[1].splitlines()
    assert (
        lines[0]
        == "| | videos | "
        + " | ".join(
            f"{stream}, {learned}" for stream in ("RGB", "flow") for learned in ("trained", "random", "shuffled")
        )
        + " |"
    )
    names = [line.split(" | ")[0] for line in lines[2:]]
    assert names == ["| `gradient`", "| `guided-backprop`", "| *edges*", "| *motion*", "| *center*", "| *random*"]
    assert [line.split(" | ")[0] for line in sections[3].splitlines()[2:]] == ["| the network"]
