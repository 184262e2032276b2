"""One gradient: RGB, 16 frames, SOFTMAX, against the old way, Captum, and the arithmetic itself; then all endpoints.

    python benchmarks/gradient.py [--rounds N]

The rivals run in a process of their own, as their users run them: gbvis has the C library keep memory between clips,
which would make them quicker too. Both processes take turns, round by round.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np
import torch
from rivals import THREADS, captum, count_operations, guided_gradients, make_network, make_pixels, old_way

from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint, Target
from gbvis.networks.r2plus1d.architecture import ENDPOINTS

CLASS, FRAMES, SIDE = 3, 16, 3072
SEVEN = [endpoint for endpoint in ENDPOINTS if endpoint is not AP]


def make_ways(name: str) -> dict[str, Callable[[], object]]:
    """Return what a process of that name can be asked to run."""
    torch.set_num_threads(THREADS)
    network = make_network()
    pixels = make_pixels(FRAMES)
    if name == "rivals":
        clip = network.preprocess([pixels])
        left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
        left16, right16 = left.bfloat16(), right.bfloat16()
        return {
            "old": lambda: old_way(network.module, clip, SOFTMAX, CLASS),
            "captum": lambda: captum(network.module, clip, CLASS),
            "product": lambda: left @ right,
            "product16": lambda: left16 @ right16,
            "old all": lambda: [old_way(network.module, clip, endpoint, CLASS) for endpoint in SEVEN],
        }

    def explain(endpoints: list[Endpoint]) -> list[np.ndarray]:
        targets = [Target(endpoint, CLASS) for endpoint in endpoints]
        found = guided_gradients(network, [pixels], {SOFTMAX, *endpoints}, targets)
        return [one.values for pending in found for one in pending.result()]

    network.to(torch.device("cpu"), name)
    return {"one": lambda: explain([SOFTMAX]), "all": lambda: explain(SEVEN), "logit": lambda: explain([FC])}


def serve(name: str, connection: Connection) -> None:
    """Run what is asked for and answer with the seconds it took, and the process's peak memory in bytes."""
    ways = make_ways(name)
    while (asked := connection.recv()) is not None:
        started = time.perf_counter()
        ways[asked]()
        seconds = time.perf_counter() - started
        connection.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


class Rival:
    """A process that can be asked for one of its ways."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(name, theirs), daemon=True)
        self._process.start()

    def run(self, way: str) -> tuple[float, int]:
        """Return the seconds that a way took, and the process's peak memory in bytes so far."""
        self._connection.send(way)
        answer: tuple[float, int] = self._connection.recv()
        return answer

    def stop(self) -> None:
        """End the process."""
        self._connection.send(None)
        self._process.join()


def measure(rounds: int) -> dict[str, float]:
    """Return the median seconds of every way; one round before does not count."""
    processes = {name: Rival(name) for name in ("rivals", "float32", "bfloat16")}
    plan = [
        ("rivals", "old"),
        ("rivals", "captum"),
        ("rivals", "product"),
        ("rivals", "product16"),
        ("float32", "one"),
        ("bfloat16", "one"),
    ]
    seconds: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for process, way in plan:
            took, _ = processes[process].run(way)
            if number:
                seconds.setdefault(f"{process} {way}", []).append(took)
    memory = {"one": processes["float32"].run("one")[1]}
    for number in range(3):
        for process, way in (("rivals", "old all"), ("float32", "all")):
            took, peak = processes[process].run(way)
            if number:
                seconds.setdefault(f"{process} {way}", []).append(took)
            memory[way] = peak
    for one in processes.values():
        one.stop()
    return {name: statistics.median(found) for name, found in seconds.items()} | {
        "memory": memory["all"] / memory["one"]
    }


def main() -> None:
    """Print target against measured, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    found = measure(parser.parse_args().rounds)
    network = make_network()
    operations = count_operations(network.module, network.preprocess([make_pixels(FRAMES)]))
    floor = operations / (2 * SIDE**3 / found["rivals product"])
    floor16 = operations / (2 * SIDE**3 / found["rivals product16"])
    rows = [
        ("float32 against the old way", 2.1, found["rivals old"] / found["float32 one"], "times"),
        ("float32 against Captum", 1.25, found["rivals captum"] / found["float32 one"], "times"),
        (f"float32, share of the floor ({operations / 1e9:.0f} GFLOP)", 0.95, floor / found["float32 one"], "of it"),
        ("bfloat16 against the old way", 4.3, found["rivals old"] / found["bfloat16 one"], "times"),
        ("seven endpoints against the old way", 3.0, found["rivals old all"] / found["float32 all"], "times"),
        ("memory of seven endpoints (at most)", 2.0, found["memory"], "times that of one"),
    ]
    print("| one gradient, 16 frames | target | measured |\n| --- | --- | --- |")
    for name, target, measured, unit in rows:
        print(f"| {name} | {target:g} | {measured:.2f} {unit} |")
    print(
        f"\nSeconds: old way {found['rivals old']:.3f}, Captum {found['rivals captum']:.3f}; float32 "
        f"{found['float32 one']:.3f}, its floor {floor:.3f}; bfloat16 {found['bfloat16 one']:.3f}, its floor "
        f"{floor16:.3f} ({found['rivals old'] / floor16:.2f} times the old way); seven endpoints: old way "
        f"{found['rivals old all']:.2f}, gbvis {found['float32 all']:.2f}."
    )


if __name__ == "__main__":
    main()
