"""Cases: a call of gbvis with one broken file, everything of it decided by a seed and a number."""

import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from damage import damage, damage_json
from whole_files import IMAGES, VIDEOS


@dataclass(frozen=True)
class Call:
    """What is typed.

    Attributes:
        arguments: Behind `gbvis`.
        has_good: Whether the call is about the video `good` too, which has to be done whatever becomes of the other.
    """

    arguments: tuple[str, ...]
    has_good: bool = False

    def is_good_done(self, out: str) -> bool:
        """Return whether a call's standard output holds the good video's result."""
        lines = [json.loads(line) for line in out.splitlines()]
        return any(Path(line.get("video", "")).stem == "good" and "error" not in line for line in lines)


Prepare = Callable[[Path, Path, Random], Call]
"""Makes the files of a case in an empty folder from whole ones in another, and says what to type there."""


def _with_good(arguments: list[str], names: list[str], random: Random) -> Call:
    """Return a call about several videos in any order, one of which is good."""
    random.shuffle(names)
    return Call((arguments[0], *names, *arguments[1:], "--json"), has_good=True)


def _rgb_call(whole: Path, random: Random) -> list[str]:
    rgb, flow = str(whole / "rgb.pth"), str(whole / "flow.pth")
    return random.choice(
        [
            ["explain", "-w", rgb, "-e", "conv1"],
            ["explain", "-w", rgb, "--clips", "all", "-n", "4"],
            ["explain", "-w", rgb, "--start", "0.1s"],
            ["predict", "-w", rgb, "--clips", "3"],
            ["predict", "-w", rgb, "-w", flow, "--clips", "2", "-n", "4", "--flow-algorithm", "dis"],
            ["extract", "-o", "extracted", "-m", "rgb"],
        ]
    )


def prepare_video(suffix: str, whole: Path, folder: Path, random: Random, name: str = "video") -> Call:
    """Break a video file."""
    content = (whole / f"{name}{suffix}").read_bytes()
    (folder / f"good{suffix}").write_bytes(content)
    (folder / f"broken{suffix}").write_bytes(damage(content, random))
    return _with_good(_rgb_call(whole, random), [f"good{suffix}", f"broken{suffix}"], random)


def prepare_frames(suffix: str, whole: Path, folder: Path, random: Random) -> Call:
    """Break one frame of a folder, or more."""
    for name in ("good", "broken"):
        shutil.copytree(whole / f"frames{suffix}", folder / name)
    for path in random.sample(sorted((folder / "broken").iterdir()), random.choice([1, 1, 9])):
        content = damage(path.read_bytes(), random)
        path.write_bytes(repair_png(content) if suffix == ".png" and random.random() < 0.7 else content)
    call = _rgb_call(whole, random)
    return _with_good(["predict", *call[1:3]] if "--start" in call else call, ["good", "broken"], random)


def repair_png(content: bytes) -> bytes:
    """Return a PNG whose checksums are right again, so that what is broken is not refused at the door."""
    repaired, place = content[:8], 8
    while place + 12 <= len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        body = content[place + 4 : place + 8 + size]
        repaired += content[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return repaired


def prepare_flow(part: str, whole: Path, folder: Path, random: Random) -> Call:
    """Break a frame of a data set's flow, or the bounds of its encoding."""
    shutil.copytree(whole / "dataset", folder / "dataset")
    flow = folder / "dataset/tvl1_flow"
    frame = flow / random.choice("uv") / "broken" / f"frame{random.randint(1, 11):06d}.jpg"
    path = frame if part == "frame" else flow / "u/broken.bin"
    path.write_bytes(damage(path.read_bytes(), random))
    weights = whole / ("flow.pkl" if part == "bounds" else "flow.pth")
    command = random.choice(["explain", "predict"])
    return _with_good([command, "-w", str(weights), "-n", "8", "-d", "dataset"], ["good", "broken"], random)


def prepare_weights(name: str, whole: Path, folder: Path, random: Random) -> Call:
    """Break a checkpoint."""
    content = (whole / name).read_bytes()
    breaking: Callable[[bytes, Random], bytes] = random.choice(WAYS_INSIDE.get(Path(name).suffix, (damage,)))
    if name.endswith("-legacy.pth"):
        breaking = damage
    (folder / name).write_bytes(breaking(content, random))
    return Call(
        random.choice(
            [
                ("predict", str(whole / "dataset/jpegs_256/good"), "-w", name, "-m", "rgb", "--json"),
                ("predict", "good", "-w", name, "-d", str(whole / "dataset"), "-n", "8", "--json"),
                ("explain", "good", "-w", name, "-d", str(whole / "dataset"), "-n", "8", "-e", "all", "--json"),
                ("inspect-shapes", "-w", name),
                ("convert-weights", name, "converted.safetensors"),
            ]
        )
    )


def damage_inside_zip(content: bytes, random: Random) -> bytes:
    """Break an entry of a zip file that is whole else: its checksums are right."""
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(rewritten, "w") as new:
        names = old.namelist()
        struck = random.choice([name for name in names if name.endswith("data.pkl")] * 3 + names[:9])
        for name in names:
            entry = old.read(name)
            new.writestr(name, damage(entry, random) if name == struck and entry else entry)
    return rewritten.getvalue()


def damage_safetensors_header(content: bytes, random: Random) -> bytes:
    """Break a value of the header, or of gbvis's own description inside it; the lengths are right."""
    size = int.from_bytes(content[:8], "little")
    header, tensors = content[8 : 8 + size].decode(), content[8 + size :]
    if random.random() < 0.2 or "__metadata__" not in header:
        header = damage_json(header, random)
    else:
        tree = json.loads(header)
        tree["__metadata__"]["gbvis"] = damage_json(tree["__metadata__"]["gbvis"], random)
        header = json.dumps(tree)
    return len(header).to_bytes(8, "little") + header.encode() + tensors


WAYS_INSIDE: Mapping[str, tuple[Callable[[bytes, Random], bytes], ...]] = {
    ".pth": (damage, damage_inside_zip),
    ".safetensors": (damage, damage_safetensors_header, damage_safetensors_header),
}
"""How to break what is inside a container, by suffix."""


def prepare_labels(whole: Path, folder: Path, random: Random) -> Call:
    """Break a file of class names."""
    content = (whole / random.choice(["labels.txt", "numbered.txt"])).read_bytes()
    (folder / "labels.txt").write_bytes(damage(content, random))
    video, weights = str(whole / "dataset/jpegs_256/good"), str(whole / "rgb.pth")
    return Call(
        random.choice(
            [
                ("predict", video, "-w", weights, "--labels", "labels.txt", "--json"),
                ("explain", video, "-w", weights, "--labels", "labels.txt", "-e", "fc", "-l", "Archery", "--json"),
                ("convert-weights", weights, "converted.safetensors", "--labels", "labels.txt"),
            ]
        )
    )


def prepare_layout(whole: Path, folder: Path, random: Random) -> Call:
    """Break frames of a folder that holds flow too, or lose some."""
    for number in range(1, 10):
        for prefix, source in (("img_", "jpegs_256"), ("flow_x_", "tvl1_flow/u"), ("flow_y_", "tvl1_flow/v")):
            for name in ("good", "broken"):
                (folder / name).mkdir(exist_ok=True)
                shutil.copy(
                    whole / f"dataset/{source}/good/frame{number:06d}.jpg", folder / name / f"{prefix}{number:05d}.jpg"
                )
    for path in random.sample(sorted((folder / "broken").iterdir()), random.choice([1, 3, 9])):
        change = random.choice(["damage", "lose", "rename"])
        if change == "damage":
            path.write_bytes(damage(path.read_bytes(), random))
        elif change == "lose":
            path.unlink()
        else:
            path.rename(path.with_name(random.choice([f"{path.stem} (1).jpg", "999.jpg", f"{'9' * 200}.jpg", "x.jpg"])))
    return _with_good(["predict", "-w", str(whole / "flow.pth"), "--clips", "2"], ["good", "broken"], random)


def prepare_list(whole: Path, folder: Path, random: Random) -> Call:
    """Break a list of videos, which still has good ones to do beside it."""
    form = random.choice(["{} {}\n", "{} {}\n", '"{}",{}\r\n', "{} 12 {}\n", "{}\tArchery{}\n"])
    lines = [form.format(f"{whole}/video{suffix}", number) for number, suffix in enumerate(list(VIDEOS)[:3])]
    lines = random.choice([[], ["video,label\n"]]) + lines
    name = random.choice(["list.txt", "list.txt", "wave_test_split1.txt", "testlist01.txt"])
    (folder / name).write_bytes(damage("".join(lines).encode(random.choice(["utf-8", "utf-16"])), random))
    good = str(shutil.copy(whole / "video.mp4", folder / "good.mp4"))
    command = random.choice(
        [["explain", "-e", "fc"], ["predict", "--clips", "1"], ["extract", "-m", "rgb", "-o", "out"]]
    )
    weights = [] if command[0] == "extract" else ["-w", str(whole / "rgb.pth")]
    call = (command[0], good, *command[1:], *weights, "--videos-from", name, "--json")
    return Call(call)


KINDS: dict[str, Prepare] = {
    **{f"video {suffix}": partial(prepare_video, suffix) for suffix in VIDEOS},
    **{f"frame {suffix}": partial(prepare_frames, suffix) for suffix in IMAGES},
    "flow frame": partial(prepare_flow, "frame"),
    "frames and flow in one folder": prepare_layout,
    "flow bounds": partial(prepare_flow, "bounds"),
    "weights .pth": partial(prepare_weights, "rgb.pth"),
    "weights .pth, legacy": partial(prepare_weights, "rgb-legacy.pth"),
    "weights .pkl": partial(prepare_weights, "flow.pkl"),
    "weights .safetensors": partial(prepare_weights, "rgb.safetensors"),
    "weights .safetensors, plain": partial(prepare_weights, "rgb-plain.safetensors"),
    "labels": prepare_labels,
    "list": prepare_list,
    "two films and a preview .mkv": partial(prepare_video, ".mkv", name="films"),
    "two films and a preview .mp4": partial(prepare_video, ".mp4", name="films"),
}
"""Every kind of broken file, and what makes it."""


def prepare_case(seed: int, number: int, whole: Path, folder: Path) -> tuple[str, Call]:
    """Make case `number` of a seed in an empty folder: return its kind and what to type."""
    kind = list(KINDS)[number % len(KINDS)]
    return kind, KINDS[kind](whole, folder, Random(f"{seed}/{number}"))
