"""Weights files that mean harm, or are broken, are refused quickly, in little memory, and nothing in them runs."""

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, VMZ_CAFFE2
from material.checkpoints import make_tensors

HAS_RUN = Path("/tmp/gbvis-was-run")
"""Made by code in a weights file, if any is run."""


def write_bomb(path: Path) -> None:
    """A gigabyte of zeros in five megabytes, where torch.save would have put a tensor."""
    zeros = bytes(16 << 20)
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("weights/data/0", "w") as entry:
        for _ in range(64):
            entry.write(zeros)


def write_claim(path: Path) -> None:
    """Strides of zero: a tensor of terabytes from one number."""
    tensors = make_tensors(OLD_SCRIPT)
    tensors["linear1.weight"] = torch.zeros(1).expand(1 << 31, 16)
    tensors["linear1.bias"] = torch.zeros(1).expand(1 << 31)
    torch.save(tensors, path)


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (HAS_RUN,))


def write_program(path: Path) -> None:
    """What TorchScript's own archives hold beside `data.pkl`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/constants.pkl", b"\x80\x02).")


def write_text(path: Path) -> None:
    path.write_text("this is no checkpoint")


def write_hostile(path: Path) -> None:
    torch.save({"state_dict": make_tensors(OLD_SCRIPT), "args": Hostile()}, path)


def write_truncated(path: Path) -> None:
    torch.save(make_tensors(OLD_SCRIPT), path)
    path.write_bytes(path.read_bytes()[:-2000])


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"blobs": {"conv1_w": Hostile()}}, protocol=2))


def write_claiming_pickle(path: Path) -> None:
    """An array of a terabyte in a few bytes: `numpy.ndarray((2**40,), uint8)`."""
    path.write_bytes(
        b"\x80\x02}X\x07\x00\x00\x00conv1_wcnumpy\nndarray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85U\x01b\x86Rs."
    )


def write_growing_pickle(path: Path) -> None:
    """Text that doubles with every step: `_codecs.encode(x, 'hex')`, forty times."""
    path.write_bytes(b"\x80\x02" + b"c_codecs\nencode\n" * 40 + b"U\x08aaaaaaaa" + b"U\x03hex\x86R" * 40 + b".")


def write_long_pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x02" + b"]" * 2_000_000 + b".")


def write_cut_pickle(path: Path) -> None:
    blobs = {name: tensor.numpy() for name, tensor in make_tensors(VMZ_CAFFE2).items()}
    path.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2)[:-3000])


def write_cut_zip(path: Path) -> None:
    torch.save(make_tensors(OLD_SCRIPT), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_wrong_rank(path: Path) -> None:
    torch.save({**make_tensors(OLD_SCRIPT), "linear1.weight": torch.zeros(2, 3, 4)}, path)


def write_nan(path: Path) -> None:
    tensors = make_tensors(OLD_SCRIPT)
    tensors["linear1.bias"][3] = float("nan")
    torch.save(tensors, path)


def write_image(path: Path) -> None:
    imageio.imwrite(path, np.zeros((64, 64, 3), np.uint8), extension=".png")


HOSTILE = {
    "a system call in a torch file": (write_hostile, "may run code"),
    "a system call in a pickle": (write_pickle, "may run code"),
    "a pickle that claims a terabyte": (write_claiming_pickle, "broken pickle"),
    "a pickle that grows": (write_growing_pickle, "no checkpoint"),
    "a pickle of two million lists": (write_long_pickle, "no network"),
    "a truncated pickle": (write_cut_pickle, "cut short"),
    "a truncated zip": (write_truncated, "no checkpoint"),
    "half a zip": (write_cut_zip, "cut short"),
    "a zip bomb": (write_bomb, "would unpack to"),
    "a tensor that claims terabytes": (write_claim, "linear1.weight"),
    "a tensor of wrong rank": (write_wrong_rank, "linear1.weight"),
    "NaN": (write_nan, "linear1.bias"),
    "text": (write_text, "no checkpoint"),
    "an image": (write_image, "no checkpoint"),
    "nothing": (Path.touch, "no checkpoint"),
    "a folder": (Path.mkdir, "is a folder"),
}


READ_ALL = """
import sys, time
from pathlib import Path
import torch
from gbvis.errors import GbvisError, WeightsError
from gbvis.steps.networks import Networks, WeightsRequest
for name in sys.argv[1:]:
    started = time.process_time()
    try:
        Networks(WeightsRequest((Path(name),)))
    except GbvisError as error:
        print(f"{time.process_time() - started:.3f} {error.problem}")
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])  # of this program alone: ru_maxrss has in it what called it
"""


@pytest.mark.slow
def test_hostile_files_are_refused_within_a_second_and_a_gigabyte(tmp_path: Path) -> None:
    """Each in a process that has imported torch: processor time, and the memory of all together."""
    paths = []
    for number, (write, _) in enumerate(HOSTILE.values()):
        paths.append(str(tmp_path / f"{number}.pth"))
        write(Path(paths[-1]))
    done = subprocess.run([sys.executable, "-c", READ_ALL, *paths], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *lines, kilobytes = done.stdout.splitlines()
    assert len(lines) == len(HOSTILE)
    for line, (name, (_, found)) in zip(lines, HOSTILE.items(), strict=True):
        assert found in line, name
        assert float(line.split()[0]) < 1, name
    assert int(kilobytes) < 1_000_000
    assert not HAS_RUN.exists()
