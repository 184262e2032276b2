"""Small whole files of every kind that gbvis reads; what is broken is made from them."""

import pickle
import sys
from pathlib import Path

import av
import imageio.v3 as imageio
import numpy as np
import safetensors.torch
import torch

from gbvis.networks.labels import read_class_list
from gbvis.networks.r2plus1d.formats import VMZ_CAFFE2
from gbvis.networks.r2plus1d.module import R2Plus1D

sys.path.append(str(Path(__file__).parent.parent / "material"))
from make_weights import make_architecture, make_state_dict

VIDEOS = {
    ".avi": ("mpeg4", {"bf": "2"}),
    ".mp4": ("libx264", {"g": "6", "bf": "2"}),
    ".mkv": ("libx264", {"g": "6"}),
    ".webm": ("libvpx", {}),
    ".mov": ("mjpeg", {}),
    ".ts": ("libx264", {"bf": "2"}),
    ".mpg": ("mpeg1video", {}),
    ".wmv": ("wmv2", {}),
    ".flv": ("flv", {}),
}
"""Codec and options by suffix."""

FILMS = (("mjpeg", 3), ("libx264", 1), ("libx264", 2), ("libx264", 2))
"""Codec and scale of the streams of a file of several."""

IMAGES = (".jpg", ".png", ".bmp", ".webp", ".tif")
COUNT, HEIGHT, WIDTH = 12, 48, 64


def draw(count: int = COUNT, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return frames of a square that moves over a noisy wall: uint8 (count, height, width, 3)."""
    frames = np.random.default_rng(0).integers(90, 150, (1, height, width, 3)).repeat(count, 0).astype(np.uint8)
    for number in range(count):
        frames[number, 16:32, 2 * number : 2 * number + 16] = (250, 40, 90)
    return frames


def write_video(path: Path, frames: np.ndarray) -> None:
    """Write frames as the kind of file that the suffix names."""
    codec, options = VIDEOS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def write_films(path: Path) -> None:
    """Write a picture, a preview and two films side by side."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=25) for codec, _ in FILMS]
        for stream, (codec, scale) in zip(streams, FILMS, strict=True):
            stream.height, stream.width = scale * HEIGHT, scale * WIDTH
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for stream, (codec, scale) in zip(streams, FILMS, strict=True):
            for frame in draw(1 if codec == "mjpeg" else COUNT, scale * HEIGHT, scale * WIDTH):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())


def write_images(folder: Path, images: np.ndarray, suffix: str) -> None:
    """Write frames as numbered files."""
    folder.mkdir(parents=True)
    for number, image in enumerate(images, start=1):
        imageio.imwrite(folder / f"frame{number:06d}{suffix}", image)


def write_dataset(folder: Path) -> None:
    """Write the two-stream data set of two equal videos, `good` and `broken`, with bounds beside the flow."""
    for name in ("good", "broken"):
        write_images(folder / "jpegs_256" / name, draw(), ".jpg")
        for channel in "uv":
            write_images(folder / "tvl1_flow" / channel / name, draw()[:-1, ..., 0], ".jpg")
        bounds = np.tile(np.array([-20, 20, -10, 10], "<f4"), (COUNT - 1, 1))
        (folder / f"tvl1_flow/u/{name}.bin").write_bytes(bounds.tobytes())


def write_weights(folder: Path) -> None:
    """Write tiny networks: the old script's, in torch's two file formats, and VMZ's Caffe2 pickle for flow."""
    for name, channels in {"rgb": 3, "flow": 2}.items():
        content = {name: {"split1": {"state_dict": make_state_dict(make_architecture(channels), channels)}}}
        torch.save({"content": content}, folder / f"{name}.pth")
        torch.save({"content": content}, folder / f"{name}-legacy.pth", _use_new_zipfile_serialization=False)
        bare = {key: tensor.contiguous() for key, tensor in content[name]["split1"]["state_dict"].items()}
        safetensors.torch.save_file(bare, folder / f"{name}-plain.safetensors")
    assert VMZ_CAFFE2.fit
    form = VMZ_CAFFE2.fit(VMZ_CAFFE2, [*(f"shortcut_projection_{index}_w" for index in (2, 4, 6)), "last_out_L101_w"])
    module = R2Plus1D(make_architecture(2), form.variant)
    blobs = {
        str(form.name_of(name)): tensor.numpy()
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    (folder / "flow.pkl").write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))


def write_all(folder: Path) -> None:
    """Write one of each."""
    for suffix in VIDEOS:
        write_video(folder / f"video{suffix}", draw())
    for suffix in (".mkv", ".mp4"):
        write_films(folder / f"films{suffix}")
    for suffix in IMAGES:
        write_images(folder / f"frames{suffix}", draw(9), suffix)
    write_dataset(folder / "dataset")
    write_weights(folder)
    names = read_class_list("ucf101")
    (folder / "labels.txt").write_text("\n".join(names) + "\n")
    (folder / "numbered.txt").write_text("\n".join(f"{number} {name}" for number, name in enumerate(names, start=1)))
