"""Bad input: one `error:`, one `hint:`, the exit code of DESIGN.md, part 3, and never a traceback."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from conftest import Call, CopyStore
from gbvis.errors import GbvisError
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.store import Store
from gbvis.store.group import read_attributes, write_attributes


@pytest.fixture
def explain(call: Call, weights: dict[str, Path], dataset: Path) -> Call:
    """Explain the RGB stream of something, the drawn clip's data set at hand."""
    return lambda *arguments: call("explain", *arguments, "-d", dataset, "-w", weights["rgb"])


@pytest.fixture
def explained(call: Call, copy_store: CopyStore, weights: dict[str, Path], dataset: Path) -> Call:
    """Have the RGB stream of the drawn clip explained, and give the command line."""
    copy_store("moving-disc", "-d", dataset, "-w", weights["rgb"])
    return call


TWO = ("moving-disc", "-l", "3", "-e", "fc", "-e", "softmax")


@pytest.fixture
def two(copy_store: CopyStore, weights: dict[str, Path], dataset: Path) -> Path:
    """A store with two runs of one video, those that `explain` makes of `TWO`."""
    return copy_store(*TWO, "-d", dataset, "-w", weights["rgb"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nosuch.avi"], 1, ["nosuch.avi"]),
        (["moving-disk"], 1, ["moving-disk", "did you mean moving-disc"]),
        (["moving-disc", "-e", "Conv3d_9_x"], 2, ["'Conv3d_9_x'", "Conv3d_1, Conv3d_2_x"]),
        (["moving-disc", "-l", "101"], 2, ["class 101 is out of range", "0 to 100"]),
        (["moving-disc", "--label=--5"], 2, ["'--5'"]),
        (["moving-disc", "-l", "9" * 5000], 2, ["unknown label"]),
        (["moving-disc", "--start", "9" * 400 + "s"], 2, ["--start"]),
        (["moving-disc", "-l", "Archary"], 2, ["'Archary'", "Archery"]),
        (["moving-disc", "-e", "conv1", "-f", "8"], 2, ["filter 8 is out of range", "0 to 7"]),
        (["moving-disc", "-e", "conv1", "--top-filters", "9"], 2, ["more than Conv3d_1 has", "8 filters"]),
        (["moving-disc", "-e", "ap", "-f", "64"], 2, ["feature 64", "0 to 63"]),
        (["moving-disc", "-e", "conv1", "-l", "3"], 2, ["--label goes with FC, SOFTMAX", "-e FC"]),
        (["moving-disc", "-f", "3"], 2, ["--filter", "Conv3d_1, Conv3d_2_x", "AP"]),
        (["moving-disc", "--start", "5"], 1, ["cannot start at frame 5", "0 to 4"]),
        (["moving-disc", "--start", "1s"], 1, ["frame rate"]),
        (["moving-disc", "--clips", "no"], 2, ["--clips 'no'"]),
        (["moving-disc", "--method", "guided"], 2, ["unknown method 'guided'", "guided-backprop"]),
        (["moving-disc", "--precision", "float16"], 2, ["unknown precision"]),
        (["moving-disc", "--precision", "tf32", "--device", "cpu"], 2, ["tf32 needs a CUDA device"]),
        (["moving-disc", "--device", "gpu"], 2, ["unknown device 'gpu'"]),
        (["moving-disc", "--device", "cuda:99"], 2, ["no device cuda:99"]),
        (["moving-disc", "-m", "flow"], 2, ["no weights for flow", "is for rgb"]),
        (["moving-disc", "-m", "sound"], 2, ["unknown modality 'sound'"]),
        (["moving-disc", "-n", "0"], 2, ["-n"]),
        (["moving-disc", "--store", "/dev/null/x"], 2, ["cannot keep a store"]),
        (["moving-disc", "-w", "missing.pth"], 2, ["missing.pth does not exist"]),
        (["moving-disc", "--videos-from", "missing.txt"], 2, ["missing.txt"]),
        ([], 2, ["no video given"]),
    ],
)
def test_a_wrong_call(explain: Call, arguments: list[str], code: int, words: list[str]) -> None:
    explain(*arguments).check_error(code, *words)


def test_no_weights_and_no_command(call: Call) -> None:
    call("explain", "x").check_error(2, "no weights given", "GBVIS_WEIGHTS")
    call("explian").check_error(2, "explian", "explain")
    call("explain", "--colour").check_error(2, "--colour")


def test_two_networks_for_one_stream(call: Call, weights: dict[str, Path]) -> None:
    done = call("predict", "x", "-w", weights["flow"], "-w", weights["flow2"])
    done.check_error(2, "two networks for flow", "flow.pth", "flow2.pth")


def test_no_data_set(call: Call, weights: dict[str, Path], tmp_path: Path) -> None:
    done = call("explain", "x", "-w", weights["rgb"], "-d", tmp_path)
    done.check_error(2, "no two-stream data set", "jpegs_256")


def make_text(path: Path) -> None:
    path.write_text("no film, no weights")


def make_image(path: Path) -> None:
    imageio.imwrite(path, np.zeros((8, 8, 3), np.uint8), extension=".png")


@pytest.mark.parametrize("make", [make_text, make_image, Path.touch, Path.mkdir])
def test_no_checkpoint(explain: Call, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "weights.pth")
    explain("moving-disc", "-w", tmp_path / "weights.pth").check_error(2, "weights.pth")


@pytest.mark.parametrize("make", [make_text, Path.touch, Path.mkdir])
def test_no_video(explain: Call, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "clip.mp4")
    explain(tmp_path / "clip.mp4").check_error(1, "clip.mp4")


def copy_dataset(dataset: Path, folder: Path) -> Path:
    return Path(shutil.copytree(dataset, folder / "copy"))


def test_a_broken_frame_in_the_middle(call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path) -> None:
    copy = copy_dataset(dataset, tmp_path)
    frame = copy / "example_jpegs_256/jpegs_256/moving-disc/frame000006.jpg"
    os.truncate(frame, 500)
    arguments = ["explain", "moving-disc", "-d", copy, "-w", weights["rgb"], "-w", weights["flow"], "--json"]
    done = call(*arguments)
    done.check_error(1, "frame000006.jpg")
    assert '"modality": "flow"' in done.out


@pytest.mark.parametrize("harm", ["no v", "short v"])
def test_half_a_flow(call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path, harm: str) -> None:
    copy = copy_dataset(dataset, tmp_path)
    v = copy / "example_tvl1_flow/tvl1_flow/v/moving-disc"
    if harm == "no v":
        shutil.rmtree(v)
    else:
        (v / "frame000011.jpg").unlink()
    done = call("explain", "moving-disc", "-d", copy, "-w", weights["flow"])
    done.check_error(1, "and no v" if harm == "no v" else "holds 10")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--flow-algorithm", "raft"], ["unknown flow algorithm 'raft'", "tvl1, dis, farneback"]),
        (["--flow-mean-subtract", "--meansub"], ["both", "give one of them"]),
    ],
)
def test_wrong_words_about_flow(
    call: Call, weights: dict[str, Path], video_file: Path, options: list[str], words: list[str]
) -> None:
    call("explain", video_file, "-w", weights["flow"], *options).check_error(2, *words)


def test_a_picture_has_no_flow(call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "still").mkdir()
    frames = dataset / "example_jpegs_256/jpegs_256/moving-disc"
    shutil.copy(frames / "frame000001.jpg", tmp_path / "still/1.jpg")
    call("explain", "still", "-w", weights["flow"]).check_error(1, "single frame", "-m rgb")
    call("extract", "still", "-o", "new").check_error(1, "single frame", "-m rgb")
    assert call("extract", "still", "-o", "new", "-m", "rgb").code == 0


def test_no_such_video_for_flow(call: Call, weights: dict[str, Path], dataset: Path) -> None:
    call("explain", "missing.mp4", "-w", weights["flow"]).check_error(1, "no such video: missing.mp4")
    call("explain", "moving-dish", "-w", weights["flow"], "-d", dataset).check_error(1, "no flow of", "moving-disc")


def test_a_video_file_takes_its_flow_from_the_data_set(
    call: Call, weights: dict[str, Path], video_file: Path, dataset: Path
) -> None:
    done = call("explain", video_file, "-w", weights["flow"], "-w", weights["rgb"], "-d", dataset)
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["moving-disc", "-e", "fc", "-m", "flow"], 1, ["gbvis explain moving-disc -w WEIGHTS -m flow -e fc"]),
        (["never seen"], 1, ["gbvis explain 'never seen' -w WEIGHTS"]),
        (["$(reboot)\x1b"], 1, [r"gbvis explain $'$(reboot)\x1b' -w WEIGHTS"]),
        (["--", "-f"], 1, ["gbvis explain ./-f -w WEIGHTS"]),
        (["-o", "x.xyz"], 2, ["'.xyz'", ".gif, .mp4"]),
        (["-o", "/dev/null/x.gif"], 1, ["cannot write /dev/null/x.gif"]),
        (["-o", "x.gif", "--format", "gif"], 2, ["--format"]),
        (["--format", "avi"], 2, ["unknown format 'avi'"]),
        (["--layout", "cube"], 2, ["unknown layout"]),
        (["--panels", "frame,positve"], 2, ["'positve'", "positive"]),
        (["--flow", "w"], 2, ["unknown flow channel"]),
        (["--scale", "video"], 2, ["unknown scale"]),
        (["--fps", "0"], 2, ["--fps"]),
        (["--store", "other.zarr"], 1, ["no store at other.zarr"]),
        (["-o", "/etc/passwd/x.gif"], 1, ["cannot write /etc/passwd/x.gif"]),
        (["-o", "/etc/passwd"], 2, ["no format has the suffix ''"]),
        (["-o", "/dev/null"], 2, ["/dev/null"]),
        (["-m", "sound"], 2, ["unknown modality 'sound'"]),
        (["--method", "magic"], 2, ["unknown method 'magic'"]),
        (["--precision", "tf32"], 1, ["--precision tf32"]),
    ],
)
def test_rendering_what_is_not_there(explained: Call, arguments: list[str], code: int, words: list[str]) -> None:
    explained("render", *arguments).check_error(code, *words)


@pytest.mark.parametrize("part", ["gradient/c.0.0.0.0.0", "zarr.json", "gradient/zarr.json"])
def test_a_run_that_lost_a_part_is_made_again_and_the_others_are_rendered(
    explain: Call, call: Call, two: Path, part: str
) -> None:
    (lost,) = (two / "moving-disc/rgb/FC").glob(f"*/{part}")
    lost.unlink()
    done = call("render")
    done.check_error(1, "FC/3-guided-backprop", "is damaged")
    assert "SOFTMAX" in done.out
    assert explain(*TWO).out.count("computed in") == 1
    assert call("render").code == 0


def test_damaged_metadata_stops_nobody_else(explain: Call, call: Call, two: Path) -> None:
    (metadata,) = (two / "moving-disc/rgb/FC").glob("*/zarr.json")
    metadata.write_text("{")
    assert "SOFTMAX" in call("render").out
    (info,) = (two / "weights").glob("*/zarr.json")
    info.write_text("{")
    assert explain(*TWO).code == 0
    assert call("render").code == 0


def test_a_wrong_call_leaves_nothing_behind(explain: Call, tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    explain("moving-disc", "-w", tmp_path / "text.pth").check_error(2, "text.pth")
    explain("moving-disc", "-l", "400").check_error(2, "400")
    assert not (tmp_path / "gbvis.zarr").exists()


def test_an_empty_folder_becomes_a_store(explain: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert explain("moving-disc", "--store", "empty").code == 0
    assert (tmp_path / "empty/zarr.json").exists()


@pytest.mark.parametrize("option", ["-w", "--store", "--labels", "--videos-from", "-d"])
def test_a_name_that_no_system_takes(call: Call, weights: dict[str, Path], option: str) -> None:
    words = [] if option == "-w" else ["-w", weights["rgb"]]
    call("explain", "moving-disc", *words, option, "x" * 300).check_error(2, "x" * 300)


@pytest.mark.parametrize("option", ["-w", "-d", "--labels", "--font", "-o", "--store"])
def test_a_name_that_no_system_takes_where_pictures_are_made(explained: Call, option: str) -> None:
    explained("render", option, "x" * 300).check_error(1 if option == "-o" else 2, "x" * 300)
    explained("render", "-o", f"{'x' * 300}/{'y' * 300}.gif").check_error(1, "cannot write")


def test_a_name_that_no_system_takes_for_weights(call: Call, weights: dict[str, Path]) -> None:
    call("convert-weights", weights["rgb"], f"{'x' * 300}.safetensors").check_error(2, "cannot write")
    call("convert-weights", "x" * 300, "new.safetensors").check_error(2, "x" * 300)
    call("inspect-shapes", "-w", "x" * 300).check_error(2, "x" * 300)
    call("demo", "x" * 300, "--sample", "up-1").check_error(2, "x" * 300)
    call("extract", "sample:up-1", "-o", "x" * 300).check_error(2, "x" * 300)


def test_an_overlay_of_what_lay_where_nothing_can(
    call: Call, tmp_path: Path, video_file: Path, weights: dict[str, Path]
) -> None:
    """A store may say anything of where its videos lay."""
    assert call("explain", video_file, "-w", weights["rgb"]).code == 0
    storage = Store.open(tmp_path / "gbvis.zarr").storage
    (run,) = Store.open(tmp_path / "gbvis.zarr").runs()
    about = read_attributes(storage, run.clips_key)
    assert about
    write_attributes(storage, run.clips_key, {**about, "location": "/" + "x" * 300})
    call("render", "--layout", "overlay").check_error(1, "they are gone from")


def flip_a_bit(endpoint: Path) -> None:
    """Damage the gradient of the only run at an endpoint."""
    (chunk,) = endpoint.glob("*/gradient/c.0.0.0.0.0")
    content = bytearray(chunk.read_bytes())
    content[1000] ^= 1
    chunk.write_bytes(content)


def test_one_damaged_run_does_not_stop_a_common_scale(call: Call, two: Path) -> None:
    flip_a_bit(two / "moving-disc/rgb/FC")
    done = call("render", "--scale", "all")
    done.check_error(1, "checksum")
    assert "SOFTMAX" in done.out


def test_weights_that_change_during_a_call_are_never_taken_for_the_old_ones(
    weights: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "own.pth"
    shutil.copy(weights["rgb"], path)
    store = Store.open_or_create(tmp_path / "s.zarr")
    Networks(WeightsRequest((path,))).keep_records(store)
    networks = Networks(WeightsRequest((path,)), store)
    content = torch.load(path, weights_only=True)
    content["content"]["rgb"]["split1"]["state_dict"]["linear1.bias"] += 1
    torch.save(content, path)
    with pytest.raises(GbvisError, match="has changed since this call began"):
        networks.load("rgb")


def test_a_list_that_is_no_list(explain: Call, call: Call, video_file: Path, weights: dict[str, Path]) -> None:
    done = call("explain", "--videos-from", video_file, "-w", weights["rgb"])
    assert done.code == 1 and "Traceback" not in done.err


def test_a_flipped_bit_is_found_by_explain_and_mended(explain: Call, call: Call, two: Path) -> None:
    flip_a_bit(two / "moving-disc/rgb/FC")
    done = call("render")
    done.check_error(1, "FC/3-guided-backprop", "is damaged", "again")
    assert "SOFTMAX" in done.out
    assert explain(*TWO).out.count("computed in") == 1
    assert call("render").code == 0


def test_changed_weights_and_changed_videos_are_never_served_from_the_cache(
    call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path
) -> None:
    copy = copy_dataset(dataset, tmp_path)
    own = tmp_path / "own.pth"
    shutil.copy(weights["rgb"], own)
    arguments = ["explain", "moving-disc", "-d", copy, "-w", own]
    assert "computed" in call(*arguments).out
    assert "cached" in call(*arguments).out
    content = torch.load(own, weights_only=True)
    content["content"]["rgb"]["split1"]["state_dict"]["linear1.bias"] += 1
    torch.save(content, own)
    assert "computed" in call(*arguments).out
    frames = copy / "example_jpegs_256/jpegs_256/moving-disc"
    shutil.copy(frames / "frame000001.jpg", frames / "frame000005.jpg")
    assert "computed" in call(*arguments).out
    assert "cached" in call(*arguments).out


def test_terminal_codes_in_a_name_are_shown_as_escapes(explain: Call) -> None:
    done = explain("evil\x1b[31m[bold]name")
    assert "\x1b" not in done.err
    assert "evil\\x1b[31m[bold]name" in done.err


def test_a_name_too_long_for_any_file_stops_nobody_else(explained: Call) -> None:
    for name in ("x" * 300, "x/" * 3000):
        done = explained("render", name, "moving-disc", "-o", "pictures", "--size", 56)
        done.check_error(1, "nothing to render of x")
        assert "moving-disc.rgb.SOFTMAX" in done.out
        overlay = explained("render", name, "moving-disc", "-o", "overlays", "--layout", "overlay")
        overlay.check_error(1, "nothing to render of x")
        assert "moving-disc.rgb.SOFTMAX" in overlay.out
