"""Trains the two sample networks that come with gbvis, RGB and flow: `train.py FOLDER`.

Writes FOLDER/sample.safetensors, which the package has in src/gbvis/networks/sample. Takes half an hour on two cores: a
process a stream, one thread each, so that the same machine gives the same weights. Everything is drawn from fixed seeds
(`gbvis.videos.synthetic`); the accuracy that goes into the file is measured on seeds that were never trained on.
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import Architecture, Block, Factors, Variant
from gbvis.networks.r2plus1d.checkpoint_format import MODULE_NAMES, CheckpointFormat
from gbvis.networks.r2plus1d.load import KIND, describe
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.networks.weights.safetensors_file import write_safetensors
from gbvis.videos.clip import ClipFormat
from gbvis.videos.motion import encode_motion
from gbvis.videos.synthetic import FIRST_TRAINING_SEED, MOTIONS, Sample, draw_sample

SIDE = 72
CLIP_LENGTH = 8
WIDTHS = (8, 16, 32, 64)

VIDEOS = 6000
STEPS = {"rgb": 5000, "flow": 2500}
BATCH = 24
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
NOISE = {"rgb": 4.0, "flow": 1.5}
"""The largest standard deviation of what is added to the pixels, in levels of 8 bit: no edge is as clean as drawn."""

VALIDATION_SEED = 2 * FIRST_TRAINING_SEED
HELD_OUT_VIDEOS = 400
OUTPUT = "sample.safetensors"

_SQUARE = {"frames": CLIP_LENGTH, "height": SIDE, "width": SIDE, "crop": SIDE, "top": 0, "left": 0, "scale": 1.0}
FORMATS = {
    "rgb": ClipFormat(**_SQUARE, mean=(128.0,) * 3, std=(64.0,) * 3),  # type: ignore[arg-type]
    "flow": ClipFormat(**_SQUARE, mean=(128.0,) * 2, std=(16.0,) * 2),  # type: ignore[arg-type]
}

FORMAT = CheckpointFormat(
    name="sample",
    variant=Variant(padding="symmetric", norm_epsilon=1e-5),
    names=MODULE_NAMES,
    first_stage=0,
    block_name=lambda stage, block: str(block),
    has_equal_middles=False,
    formats=FORMATS,
    class_lists={},
)

# Where each class goes when the picture is turned over along a diagonal (rows become columns), and left to right.
TRANSPOSED = [
    MOTIONS.index(name) for name in ("up", "down", "left", "right", "turn-right", "turn-left", "grow", "shrink")
]
MIRRORED = [
    MOTIONS.index(name) for name in ("right", "left", "up", "down", "turn-right", "turn-left", "grow", "shrink")
]


def make_architecture(channels: int) -> Architecture:
    """Return the paper's network, an eighth as wide, with one block a stage."""
    inputs = (WIDTHS[0], *WIDTHS)
    stages = tuple(
        (Block(Factors.like_3d(inputs[stage], width), Factors.like_3d(width, width)),)
        for stage, width in enumerate(WIDTHS)
    )
    return Architecture(Factors(channels, 12, WIDTHS[0]), stages, len(MOTIONS))


def stream_of(sample: Sample, modality: str) -> np.ndarray:
    """Return what a stream sees of a video, resized: uint8 (T, SIDE, SIDE, 3 or 2)."""
    frames = sample.frames if modality == "rgb" else encode_motion(sample.flow)
    return np.stack([FORMATS[modality].resize_and_crop(frame) for frame in frames])


def draw_stream(job: tuple[str, int, str]) -> np.ndarray:
    """Return one stream of a video: uint8 (T, SIDE, SIDE, 3 or 2)."""
    motion, seed, modality = job
    return stream_of(draw_sample(motion, seed), modality)


def draw_set(modality: str, count: int, first_seed: int) -> tuple[Tensor, Tensor]:
    """Return videos, uint8 (N, T, SIDE, SIDE, C), and their classes, int64 (N,): the classes take turns."""
    jobs = [(MOTIONS[number % len(MOTIONS)], first_seed + number, modality) for number in range(count)]
    videos = np.stack([draw_stream(job) for job in jobs])
    return torch.from_numpy(videos), torch.arange(count) % len(MOTIONS)


def normalised(videos: Tensor, modality: str) -> Tensor:
    """Return float32 (N, C, T, H, W) for pixels (N, T, H, W, C)."""
    mean, std = FORMATS[modality].mean[0], FORMATS[modality].std[0]
    return ((videos.float() - mean) / std).movedim(-1, 1)


def make_batches(videos: Tensor, classes: Tensor, modality: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of clips, float32 (BATCH, C, T, SIDE, SIDE), and their classes, int64 (BATCH,).

    Each clip starts anywhere, is mirrored and transposed at random with its class, its colours are exchanged, and it
    gets noise.
    """
    spare = videos.shape[1] - CLIP_LENGTH + 1
    transposed, mirrored = torch.tensor(TRANSPOSED), torch.tensor(MIRRORED)
    for _ in range(STEPS[modality]):
        chosen = torch.randint(len(videos), (BATCH,)).tolist()
        starts = torch.randint(spare, (BATCH,)).tolist()
        clips = torch.stack([videos[v, start : start + CLIP_LENGTH] for v, start in zip(chosen, starts, strict=True)])
        clips = normalised(clips, modality)
        labels = classes[chosen].clone()
        for number in range(BATCH):
            clip, label = clips[number], labels[number]
            if torch.rand(()) < 0.5:
                clip, label = transpose(clip, modality), transposed[label]
            if torch.rand(()) < 0.5:
                clip, label = mirror(clip, modality), mirrored[label]
            if modality == "rgb":
                clip = clip[torch.randperm(3)] * (1 if torch.rand(()) < 0.5 else -1)
            level = NOISE[modality] * torch.rand(()) / FORMATS[modality].std[0]
            clips[number] = clip + level * torch.randn_like(clip)
            labels[number] = label
        yield clips, labels


def transpose(clip: Tensor, modality: str) -> Tensor:
    """Return the clip, (C, T, H, W), with rows and columns exchanged; the motion's u and v too."""
    turned = clip.transpose(2, 3)
    return turned.flip(0) if modality == "flow" else turned


def mirror(clip: Tensor, modality: str) -> Tensor:
    """Return the clip, (C, T, H, W), left to right; the motion's u changes its sign."""
    turned = clip.flip(3)
    return turned * torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1) if modality == "flow" else turned


def make_network(modality: str) -> R2Plus1D:
    """Return the network with random weights (He et al. 2015, as torchvision's)."""
    module = R2Plus1D(make_architecture(FORMATS[modality].channels), FORMAT.variant)
    for layer in module.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return module


@torch.no_grad()
def score(module: nn.Module, videos: Tensor, modality: str) -> Tensor:
    """Return the probabilities of every video's middle clip: float32 (N, classes)."""
    start = (videos.shape[1] - CLIP_LENGTH) // 2
    was_training = module.training
    module.eval()
    clips = videos[:, start : start + CLIP_LENGTH]
    scores = torch.cat([module(normalised(part, modality)).softmax(1) for part in torch.split(clips, 50)])
    module.train(was_training)
    return scores


def accuracy_of(scores: Tensor, classes: Tensor) -> float:
    """Return the share of videos whose best class is the true one."""
    return (scores.argmax(1) == classes).double().mean().item()


def train(modality: str, path: Path) -> None:
    """Train one stream and save its weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    started = time.perf_counter()
    videos, classes = draw_set(modality, VIDEOS, FIRST_TRAINING_SEED)
    validation, truth = draw_set(modality, 160, VALIDATION_SEED)
    print(f"{modality}: {VIDEOS} videos drawn in {time.perf_counter() - started:.0f} s", flush=True)
    module = make_network(modality).train()
    optimizer = torch.optim.AdamW(module.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS[modality])
    for step, (clips, labels) in enumerate(make_batches(videos, classes, modality), start=1):
        loss = nn.functional.cross_entropy(module(clips), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            accuracy = accuracy_of(score(module, validation, modality), truth)
            seconds = time.perf_counter() - started
            print(f"{modality}: step {step}  loss {loss.item():.3f}  right {accuracy:.3f}  {seconds:.0f} s", flush=True)
    torch.save(module.state_dict(), path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def open_network(modality: str, path: Path) -> Network:
    """Return a stream's network with the weights that `train` saved."""
    module = make_network(modality)
    module.load_state_dict(torch.load(path, weights_only=True))
    info = describe(module, FORMAT, modality)
    return Network(module, replace(info, labels=MOTIONS), KIND)


def measure_accuracy(networks: dict[str, Network]) -> dict[str, float]:
    """Return the accuracy of each stream and of both fused on videos that nothing was trained on."""
    scores = {}
    for modality, network in networks.items():
        videos, classes = draw_set(modality, HELD_OUT_VIDEOS, 0)
        scores[modality] = score(network.module, videos, modality)
    scores["fused"] = (scores["rgb"] + scores["flow"]) / 2
    return {name: accuracy_of(found, classes) for name, found in scores.items()}


def describe_training(accuracy: dict[str, float]) -> dict[str, object]:
    """Return what goes into the file beside the weights."""
    return {
        "script": "training/train.py",
        "videos": VIDEOS,
        "first_seed": FIRST_TRAINING_SEED,
        "augmentation": "any start, transposed, mirrored, colours exchanged and inverted, noise",
        "noise_levels": NOISE,
        "optimizer": f"AdamW, one cycle to {LEARNING_RATE}, weight decay {WEIGHT_DECAY}",
        "batch": BATCH,
        "steps": STEPS,
        "seed": 0,
        "torch": torch.__version__,
        "held_out": {"videos": HELD_OUT_VIDEOS, "first_seed": 0, "accuracy": accuracy},
    }


def main() -> None:
    """Train both streams side by side, what FOLDER does not have yet, and write them as one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = {modality: folder / f"{modality}.pth" for modality in FORMATS}
    jobs = [(modality, path) for modality, path in paths.items() if not path.exists()]
    processes = [multiprocessing.Process(target=train, args=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit("training failed: see above")
    networks = {modality: open_network(modality, path) for modality, path in paths.items()}
    accuracy = measure_accuracy(networks)
    print(f"accuracy on {HELD_OUT_VIDEOS} held-out videos: {accuracy}")
    write_safetensors(folder / OUTPUT, list(networks.values()), {"training": describe_training(accuracy)})


if __name__ == "__main__":
    main()
