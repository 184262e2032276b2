"""Clips a second on a GPU: RGB, 16 frames, SOFTMAX, against Captum on the same card, and against the card's own rate.

    python benchmarks/gpu.py [--device cuda] [--clips 64]

The rate is that of a large matrix product, measured in the same process. Gradients are brought to the host, as
`explain` does; nothing is written. `--device cpu` shows that the script runs, and nothing else.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rivals import captum, count_operations, guided_gradients, make_network, make_pixels, take_turns

from gbvis.attribution.attribution import Pending
from gbvis.networks.endpoint import SOFTMAX, Target
from gbvis.networks.network import Network

CLASS, FRAMES, SIDE, ROUNDS, CAPTUM_CLIPS = 3, 16, 8192, 5, 8


def explain(network: Network, clip_count: int) -> None:
    """Compute the gradients of so many clips, each on the host at the end, as `explain` goes about it."""
    pixels = make_pixels(FRAMES)
    with network.precision_scope():
        found: list[Pending] = []
        batches = network.batches(clip_count)
        for batch in batches:
            with batches.attempt():
                clips = [pixels for _ in batch]
                found += guided_gradients(network, clips, {SOFTMAX}, [Target(SOFTMAX, CLASS)])
        for pending in found:
            pending.result()


def measure_rate(device: torch.device, side: int) -> float:
    """Return the floating point operations a second of a bfloat16 matrix product."""
    left, right = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        (left @ right)[0, 0].item()
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / statistics.median(seconds[1:])


def main() -> None:
    """Print clips a second, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", type=torch.device)
    parser.add_argument("--clips", default=64, type=int)
    given = parser.parse_args()
    on_gpu = given.device.type == "cuda"
    if on_gpu and not torch.cuda.is_available():
        print("No GPU here: nothing was measured.")
        return
    plain = make_network()
    operations = count_operations(plain.module, plain.preprocess([make_pixels(FRAMES)]))
    clips = plain.preprocess([make_pixels(FRAMES)] * CAPTUM_CLIPS).to(given.device)
    rival = make_network().module.to(given.device)
    ways: dict[str, Callable[[], object]] = {"Captum, float32": lambda: captum(rival, clips, CLASS).cpu()}
    for precision in ("float32", "tf32", "bfloat16") if on_gpu else ("float32", "bfloat16"):
        network = make_network().to(given.device, precision)
        ways[f"gbvis, {precision}"] = lambda network=network: explain(network, given.clips)  # type: ignore[misc]
    taken = take_turns(ways, ROUNDS if on_gpu else 1)
    counts = {name: CAPTUM_CLIPS if name.startswith("Captum") else given.clips for name in ways}
    speed = {name: counts[name] / statistics.median(seconds) for name, seconds in taken.items()}
    print(f"{torch.cuda.get_device_name(given.device) if on_gpu else 'No GPU: a CPU'}, torch {torch.__version__}\n")
    print("| way | clips a second | against Captum |\n| --- | --- | --- |")
    for name, found in speed.items():
        print(f"| {name} | {found:.1f} | {found / speed['Captum, float32']:.2f} |")
    share = speed["gbvis, bfloat16"] * operations / measure_rate(given.device, SIDE if on_gpu else 2048)
    print(f"\nbfloat16: {share:.0%} of the rate of a bfloat16 matrix product.")


if __name__ == "__main__":
    main()
