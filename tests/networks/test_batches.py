"""How many clips are computed at once, on a GPU that is played: its memory, and where it runs out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import gbvis
from gbvis.attribution.graph import Graph
from gbvis.networks.batches import MOST_CLIPS, Batches, CudaMemory, is_out_of_memory
from gbvis.networks.network import Network

WEIGHTS, OF_A_CLIP = 100, 10


class PlayedMemory:
    """A device with so much memory, of which a batch takes a share for each clip."""

    def __init__(self, size: int, of_a_clip: int = OF_A_CLIP) -> None:
        self.size, self.of_a_clip, self.used = size, of_a_clip, WEIGHTS
        self.peak, self.before, self.releases = WEIGHTS, WEIGHTS, 0

    def begin(self) -> None:
        self.peak = self.before = self.used

    def taken(self) -> int:
        return self.peak - self.before

    def free(self) -> int:
        return self.size - self.used

    def release(self) -> None:
        self.releases += 1

    def compute(self, clips: int) -> None:
        if self.used + clips * self.of_a_clip > self.size:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        self.peak = max(self.peak, self.used + clips * self.of_a_clip)


def run(memory: PlayedMemory | None, clips: int, compute: Callable[[int], None] | None = None) -> list[range]:
    """Return the batches that were computed, after a check that each clip was, once and in order."""
    batches, done = Batches(clips, memory), []
    for numbers in batches:
        with batches.attempt():
            if memory:
                (compute or memory.compute)(len(numbers))
            done.append(numbers)
    assert [number for batch in done for number in batch] == list(range(clips))
    return done


@pytest.mark.parametrize("clips", [1, 2, 16, 17, 18, 40, 100])
@pytest.mark.parametrize(("size", "fit"), [(1000, MOST_CLIPS), (222, 10), (160, 5), (125, 2), (110, 1)])
def test_one_goes_alone_and_then_as_many_as_fit_to_the_end(size: int, fit: int, clips: int) -> None:
    rest = clips - 1
    sizes = [1] + [fit] * (rest // fit) + ([rest % fit] if rest % fit else [])
    assert [len(batch) for batch in run(PlayedMemory(size), clips)] == sizes


def test_a_cpu_takes_them_one_by_one() -> None:
    assert [len(batch) for batch in run(None, 5)] == [1] * 5


def test_where_memory_runs_out_all_the_same_half_as_many_go_on() -> None:
    """Another program takes half of the memory after the first clip, and again later."""
    memory, calls = PlayedMemory(280), []

    def compute(clips: int) -> None:
        calls.append(clips)
        memory.used = {2: 180, 6: 250}.get(len(calls), memory.used)
        memory.compute(clips)

    run(memory, 40, compute)
    assert calls == [1, 16, 8, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2, 2, 1]
    assert memory.releases == 3


@pytest.mark.parametrize("seed", range(20))
def test_no_clip_is_lost_whatever_the_memory_does(seed: int) -> None:
    random, memory = np.random.default_rng(seed), PlayedMemory(300)

    def compute(clips: int) -> None:
        memory.used = WEIGHTS + int(random.integers(0, 190))  # one clip always fits
        memory.compute(clips)

    run(memory, 60, compute)


def test_what_does_not_fit_alone_and_other_errors_are_not_hidden() -> None:
    for memory, error in (
        (PlayedMemory(105), torch.OutOfMemoryError),
        (None, MemoryError),
    ):
        batches = Batches(3, memory)
        with pytest.raises(error):
            for numbers in batches:
                with batches.attempt():
                    raise MemoryError if memory is None else torch.OutOfMemoryError(len(numbers))
    batches = Batches(3, PlayedMemory(1000))
    with pytest.raises(RuntimeError, match="a bug"):
        for _ in batches:
            with batches.attempt():
                raise RuntimeError("a bug")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=repr,
)
def test_the_ways_in_which_memory_runs_out(error: Exception) -> None:
    assert is_out_of_memory(error) and not is_out_of_memory(RuntimeError("mat1 and mat2 shapes"))


def test_a_gpus_memory_is_read_from_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"allocated": 100, "peak": 500, "reserved": 600, "free": 4000}
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: state.update(peak=state["allocated"]))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: state["allocated"])
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: state["reserved"])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: state["peak"])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (state["free"], 8000))
    memory = CudaMemory(torch.device("cuda"))
    memory.begin()
    assert memory.taken() == 0
    state["peak"] = 450
    assert (memory.taken(), memory.free()) == (350, 4500)


def explain(folder: Path, monkeypatch: pytest.MonkeyPatch, memory: PlayedMemory | None, **settings: object) -> dict:
    """Return the gradients of 9 clips and their values by endpoint; with a memory, of a GPU that is played."""
    sizes: list[int] = []
    if memory:
        monkeypatch.setattr(Network, "batches", lambda self, count, say=print: Batches(count, memory, say))
        forward, backward = Graph.forward, Graph.backward

        def forward_and_take(graph: Graph, *arguments: object) -> object:
            sizes.append(len(graph.clips))
            memory.compute(len(graph.clips))
            return forward(graph, *arguments)

        def fail_late(graph: Graph, target: object, *arguments: object) -> object:
            if len(graph.clips) > 2 and "SOFTMAX" in str(target):
                raise torch.OutOfMemoryError("CUDA out of memory")
            return backward(graph, target, *arguments)

        monkeypatch.setattr(Graph, "forward", forward_and_take)
        monkeypatch.setattr(Graph, "backward", fail_late)
    results = gbvis.explain(
        "sample:turn-left-3", "sample", store=folder, endpoints=["Conv3d_3_x", "FC", "SOFTMAX"], clips=9, **settings
    )
    runs = {(one.run.modality, one.run.endpoint.name): (one.run.to_numpy(), one.run.value) for one in results}
    return {"runs": runs, "sizes": sizes}


@pytest.mark.slow
def test_a_batch_that_fails_half_way_is_computed_again_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = explain(tmp_path / "one.zarr", monkeypatch, None)["runs"]
    found = explain(tmp_path / "many.zarr", monkeypatch, PlayedMemory(200))
    assert 8 in found["sizes"] and 2 in found["sizes"]
    assert found["runs"].keys() == expected.keys() and len(expected) == 6
    for key, (gradient, value) in expected.items():
        np.testing.assert_allclose(found["runs"][key][1], value, rtol=1e-4)
        np.testing.assert_allclose(found["runs"][key][0], gradient, atol=2e-2 * np.abs(gradient).max())


def test_one_clip_that_does_not_fit_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "batches", lambda self, count, say=print: Batches(count, PlayedMemory(105), say))
    monkeypatch.setattr(Graph, "forward", lambda *_: PlayedMemory(105).compute(1))
    failed = list(gbvis.explain("sample:turn-left-3", "sample", store=tmp_path / "none.zarr", clips=2))
    assert len(failed) == 2 and all("not enough memory" in one.problem for one in failed)
