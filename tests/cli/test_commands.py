"""The commands as a user calls them: processes of their own, real files, both streams."""

import json
import pickle
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
import torch
import zarr
from PIL import Image

from conftest import Call
from gbvis.networks.batches import Batches
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.networks.r2plus1d.formats import TORCHVISION, VMZ_CAFFE2
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.steps.run_views import make_run_view
from gbvis.store import Store

NAMES = [endpoint.name for endpoint in ENDPOINTS]


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def both(weights: dict[str, Path], dataset: Path) -> list[object]:
    """Options for both streams of the drawn clip."""
    return ["-d", dataset, "-w", weights["rgb"], "-w", weights["flow"]]


def count_frames(path: Path) -> int:
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)


def test_the_main_road(process: Call, both: list[object], tmp_path: Path) -> None:
    """Predict, explain both streams at all endpoints, the same again from the store, render."""
    predicted = process("predict", "moving-disc", *both, "--clips", 3, "--json")
    assert predicted.code == 0, predicted.err
    assert [line["modality"] for line in lines(predicted.out)] == ["rgb", "flow", "fused"]

    explained = process("explain", "moving-disc", *both, "-e", "all", "--json", "-v")
    assert explained.code == 0, explained.err
    runs = lines(explained.out)
    assert [(run["modality"], run["endpoint"]) for run in runs] == [(m, e) for m in ("rgb", "flow") for e in NAMES]
    assert not any(run["cached"] for run in runs)
    for name in NAMES:
        assert re.search(rf"moving-disc flow: {name} +\[1, ", explained.err)
    for run in runs:
        gradient = zarr.open_group(tmp_path / str(run["store"]), mode="r")[f"{run['group']}/gradient"]
        assert isinstance(gradient, zarr.Array)
        assert gradient.shape == (1, 3 if run["modality"] == "rgb" else 2, 8, 112, 112)
        assert np.abs(gradient[:]).max() > 0

    again = process("explain", "moving-disc", *both, "-e", "all", "--json")
    assert all(run["cached"] for run in lines(again.out))
    assert [run["group"] for run in lines(again.out)] == [run["group"] for run in runs]

    rendered = process("render", "-o", "pictures", "--format", "mp4", "--size", 112, "--json")
    assert rendered.code == 0, rendered.err
    pictures = lines(rendered.out)
    assert len(pictures) == len(runs)
    for picture in pictures:
        assert count_frames(tmp_path / str(picture["path"])) == picture["frames"] == 8


@pytest.mark.slow
def test_a_real_file_and_real_folders(call: Call, shared: Path, weights: dict[str, Path], tmp_path: Path) -> None:
    data = shared / "data"
    avi, name = data / "videos/v_WalkingWithDog_g15_c01.avi", "v_SoccerJuggling_g23_c01"
    done = call("explain", avi, "-w", weights["rgb"], "--json")
    (run,) = lines(done.out)
    assert run["video"] == "v_WalkingWithDog_g15_c01" and run["clips"] == [
        {"start": 104, "frames": list(range(104, 112))}
    ]
    done = call("explain", name, "-d", data / "UCF-101", "-w", weights["flow2"], "-w", weights["rgb"], "--json")
    assert [(run["modality"], run["clips"][0]["start"]) for run in lines(done.out)] == [("rgb", 4), ("flow", 4)]
    assert call("render", name, "-m", "flow", "-o", "x.gif").code == 0
    assert count_frames(tmp_path / "x.gif") == 8


def run_and_list_modules(arguments: list[object], folder: Path) -> set[str]:
    script = (
        "import sys; from gbvis.cli.app import run_command_line;"
        f"code = run_command_line({[str(argument) for argument in arguments]!r});"
        "print('MODULES', *sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("MODULES")[1].split())


@pytest.mark.parametrize(
    "target",
    [
        [],
        pytest.param(["-l", "Archery"], marks=pytest.mark.slow),
        pytest.param(["-e", "Conv3d_2_x", "--top-filters", "2"], marks=pytest.mark.slow),
    ],
)
def test_a_cached_explain_and_render_load_no_torch(
    both: list[object], tmp_path: Path, call: Call, target: list[object]
) -> None:
    """Also where the class, or the filter, was left to the network."""
    explain = ["explain", "moving-disc", *both, *target]
    assert call(*explain).code == 0
    assert not {"torch", "av"} & run_and_list_modules(explain, tmp_path)
    assert "torch" not in run_and_list_modules(["render", "--format", "mp4"], tmp_path)


def test_what_was_asked_in_other_words_needs_no_torch(call: Call, both: list[object], tmp_path: Path) -> None:
    explain = ["explain", "moving-disc", *both, "-m", "rgb"]
    (run,) = lines(call(*explain, "--json").out)
    assert "torch" not in run_and_list_modules([*explain, "-l", run["target"]], tmp_path)


def test_what_was_asked_in_other_words_is_not_computed_again(call: Call, both: list[object]) -> None:
    (first,) = lines(call("explain", "moving-disc", *both, "-m", "rgb", "--json").out)
    (second,) = lines(call("explain", "moving-disc", *both, "-m", "rgb", "-l", first["target"], "--json").out)
    assert second["cached"] and second["group"] == first["group"]
    (forced,) = lines(call("explain", "moving-disc", *both, "-m", "rgb", "--force", "--json").out)
    assert not forced["cached"] and forced["group"] == first["group"]


def test_fused_scores_are_the_mean_and_lengths_are_compared(
    call: Call, both: list[object], shared: Path, tmp_path: Path
) -> None:
    done = call("predict", "moving-disc", *both, "--json", "--top", 101)
    scores = [{one["index"]: one["score"] for one in line["top"]} for line in lines(done.out)]
    assert all(scores[2][k] == pytest.approx((scores[0][k] + scores[1][k]) / 2, abs=1e-7) for k in range(101))
    assert "warning" not in done.err
    longer = tmp_path / "moving-disc.avi"
    longer.write_bytes((shared / "data/videos/v_Archery_g02_c02.avi").read_bytes())
    assert "160 RGB frames and 11 flow frames" in call("predict", longer, *both, "--clips", 1).err


def test_class_names_of_ones_own(call: Call, both: list[object], tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n".join(f"kind {number}" for number in range(101)))
    (run,) = lines(
        call("explain", "moving-disc", *both, "-m", "rgb", "-l", "kind 7", "--labels", "names.txt", "--json").out
    )
    assert run["label"] == {"index": 7, "name": "kind 7"}
    (again,) = lines(call("explain", "moving-disc", *both, "-m", "rgb", "-l", 7, "--json").out)
    assert again["cached"] and again["label"] == run["label"]  # kept with the weights
    (listed,) = lines(call("store", "ls", "-l", "kind 7", "--json").out)
    assert listed["label"] == run["label"]
    assert len(lines(call("render", "-l", "kind 7", "--json").out)) == 1
    (tmp_path / "names.txt").write_text("\n".join(f"sort {number}" for number in range(101)))
    call("render", "-l", "kind 7", "--labels", "names.txt").check_error(1, "nothing to render")
    assert len(lines(call("render", "-l", "sort 7", "--labels", "names.txt", "--force", "--json").out)) == 1
    (tmp_path / "few.txt").write_text("one\ntwo")
    call("predict", "moving-disc", *both, "--labels", "few.txt").check_error(2, "names 2 classes", "has 101")


def test_predicted_class_and_many_clips(call: Call, both: list[object]) -> None:
    """The class explained is the one predicted from the same clips, and every clip has its value."""
    options = ["moving-disc", *both, "-m", "flow", "--clips", 3, "--json"]
    predicted = lines(call("predict", *options).out)[0]["top"][0]
    (run,) = lines(call("explain", *options).out)
    assert run["target"] == predicted["index"] and run["label"]["name"] == predicted["label"]
    assert np.mean(run["value"]) == pytest.approx(predicted["score"])
    assert [clip["start"] for clip in run["clips"]] == [0, 2, 3]


class RoomForTwo:
    """A memory that has room for two clips at once."""

    def begin(self) -> None: ...
    def release(self) -> None: ...
    def taken(self) -> int:
        return 100

    def free(self) -> int:
        return 299


@pytest.mark.slow
def test_clips_computed_together(call: Call, both: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: the same numbers as one by one, for classes predicted and for filters, each with its own clip."""
    words = ["-m", "flow", "--clips", 4, "-n", 5, "--json"]
    explain = ["explain", "moving-disc", *both, *words, "-e", "SOFTMAX", "-e", "conv1", "-f", 1, "-f", 2, "--store"]
    alone = lines(call(*explain, "alone.zarr").out)
    predicted = lines(call("predict", "moving-disc", *both, *words).out)
    monkeypatch.setattr(Network, "batches", lambda _, count, say: Batches(count, RoomForTwo(), say))
    said = call(*explain, "together.zarr", "-v")
    assert "clips 2-3: gradients: 3" in said.err
    for one, other in zip(alone, lines(said.out), strict=True):
        assert one["group"] == other["group"] and one["clips"] == other["clips"]
        assert other["value"] == pytest.approx(one["value"], rel=1e-5)
        (first, second) = (
            np.asarray(zarr.open_group(store, mode="r")[f"{one['group']}/gradient"])
            for store in ("alone.zarr", "together.zarr")
        )
        np.testing.assert_allclose(second, first, atol=2e-2 * np.abs(first).max())  # single ReLUs at zero's edge
        assert (np.abs(second - first) > 1e-4 * np.abs(first).max()).mean() < 0.02
    for one, other in zip(predicted, lines(call("predict", "moving-disc", *both, *words).out), strict=True):
        assert [top["index"] for top in other["top"]] == [top["index"] for top in one["top"]]


@pytest.mark.slow
def test_top_filters_are_the_most_active(call: Call, both: list[object]) -> None:
    explain = ["explain", "moving-disc", *both, "-m", "rgb", "-e", "conv5_x", "--json"]
    everything = lines(call(*explain, *(word for index in range(64) for word in ("-f", index))).out)
    best = sorted(everything, key=lambda run: -run["value"][0])[:3]
    top = lines(call(*explain, "--top-filters", 3).out)
    assert [run["target"] for run in top] == [run["target"] for run in best]
    assert all(run["cached"] for run in top)


def test_a_loop_with_a_broken_video_among_them(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path
) -> None:
    good = [tmp_path / "one.mp4", tmp_path / "three.mp4"]
    for path in good:
        path.write_bytes(video_file.read_bytes())
    (tmp_path / "two.mp4").write_bytes(video_file.read_bytes()[:3000])
    done = call("explain", good[0], tmp_path / "two.mp4", good[1], "missing.mp4", "-w", weights["rgb"], "--json")
    assert done.code == 1
    found = lines(done.out)
    assert [line.get("error") is None for line in found] == [True, False, True, False]
    assert found[1]["video"] == str(tmp_path / "two.mp4") and set(found[1]) == {"video", "error", "hint"}
    assert done.err.count("error: ") == done.err.count("hint: ") == 2


@pytest.mark.slow
def test_lists_of_videos(call: Call, process: Call, both: list[object]) -> None:
    explain = ["explain", *both, "-m", "rgb", "--json", "--videos-from", "-"]
    done = process(*explain, stdin="Disc/moving-disc.avi 7\n\nmoving-disc\n")
    assert done.code == 0, done.err
    assert [run["video"] for run in lines(done.out)] == ["moving-disc"] * 2
    assert lines(done.out)[0]["label"] == {"index": 7, "name": "Basketball"}
    done = process(*explain, "--labels-from-one", stdin="moving-disc.avi 8\n")
    (run,) = lines(done.out)
    assert run["target"] == 7 and run["cached"]
    process(*explain, stdin="moving-disc.avi 101\n").check_error(2, "class 101", "0 to 100")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)])
def test_ctrl_c_keeps_what_was_finished(
    both: list[object], tmp_path: Path, video_file: Path, number: signal.Signals, code: int
) -> None:
    names = [tmp_path / f"{number}.mp4" for number in range(12)]
    for name in names:
        name.write_bytes(video_file.read_bytes())
    words = [sys.executable, "-m", "gbvis", "explain", *names, *both, "-m", "rgb", "-e", "all"]
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background ignores it, and so would it
    running = subprocess.Popen(
        [str(word) for word in words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    signal.signal(signal.SIGINT, before)
    assert running.stdout and running.stdout.readline()
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == code
    assert b"Traceback" not in err and b"interrupted" in err
    assert b"done, 0 cached, 0 failed, in" in err
    store = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")
    assert len(list(store["0/rgb"].groups())) >= 1
    assert not [path for path in (tmp_path / "gbvis.zarr").iterdir() if path.name.startswith(".unfinished")]


DESTRUCTOR = """
import os, signal
from gbvis.cli import app
from gbvis.videos import synthetic

class Trap:
    def __del__(self):
        os.kill(os.getpid(), signal.{signal})
        for _ in range(1000):
            pass

def draw(*_):
    Trap()
    signal.pause()

synthetic.draw_sample = draw
app.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138), ("SIGUSR2", 140)])
def test_a_signal_that_a_destructor_swallows_is_sent_again(tmp_path: Path, name: str, code: int) -> None:
    """Python ignores what is raised there: one Ctrl-C in twenty had no effect."""
    script = DESTRUCTOR.format(signal=name)
    words = [sys.executable, "-c", script, "demo", "--sample", "up-1"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    signal.signal(signal.SIGINT, before)
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr


@pytest.mark.slow
def test_a_pipe_that_closes_early(both: list[object], tmp_path: Path) -> None:
    command = " ".join(
        f"'{word}'" for word in [sys.executable, "-m", "gbvis", "explain", "moving-disc", *both, "-e", "all"]
    )
    done = subprocess.run(f"{command} | head -n 1", shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1 and "Traceback" not in done.stderr


def test_rendering(call: Call, both: list[object], tmp_path: Path) -> None:
    call("explain", "moving-disc", *both, "-e", "FC", "-e", "conv2_x", "-f", 1, "-f", 2, "-l", 3)
    names = [line.split()[0] for line in call("render", "moving-disc", "-m", "rgb").out.splitlines()]
    assert names == [f"moving-disc.rgb.{rest}.gif" for rest in ("Conv3d_2_x.1", "Conv3d_2_x.2", "FC.3")]
    assert "unchanged" in call("render", "moving-disc", "-m", "rgb", "-e", "fc").out
    call("render", "moving-disc", "-m", "rgb", "-e", "fc", "--fps", 9).check_error(1, "there already", "--force")
    assert call("render", "moving-disc", "-m", "rgb", "-e", "fc", "--fps", 9, "--force").code == 0
    call("render", "-o", "all.gif").check_error(2, "6 runs match", "-m, -e")
    (tall, short) = (
        lines(call("render", "-m", "flow", "-l", 3, "--flow", flow, "-o", f"{flow}.webp", "--json").out)[0]["height"]
        for flow in ("both", "u")
    )
    assert int(str(tall)) > int(str(short))
    narrow = call("render", "-m", "rgb", "-l", 3, "--panels", "frame,positive", "--size", 112, "-o", "n.gif", "--json")
    assert lines(narrow.out)[0]["width"] < 3 * 112
    sheet = call("render", "-m", "rgb", "-f", 1, "--layout", "sheet", "--scale", "all", "-o", "new/folder/")
    assert sheet.code == 0 and (tmp_path / "new/folder/moving-disc.rgb.Conv3d_2_x.1.png").exists()
    assert not list(tmp_path.rglob("*.partial"))


def test_two_videos_of_one_name_never_share_a_picture(
    call: Call, weights: dict[str, Path], video_file: Path, shared: Path, tmp_path: Path
) -> None:
    for folder, source in (("a", video_file), ("b", shared / "data/videos/v_Archery_g02_c02.avi")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").write_bytes(source.read_bytes())
    explained = lines(call("explain", "a/clip.mp4", "b/clip.mp4", "-w", weights["rgb"], "-l", 3, "--json").out)
    assert explained[0]["group"] != explained[1]["group"]
    assert len({line.split()[0] for line in call("render").out.splitlines()}) == 2
    assert len(call("render", "b/clip.mp4").out.splitlines()) == 1


@pytest.mark.parametrize("name", ["moving-disc", "Moving-DISC"])
def test_both_streams_go_by_the_files_name(
    call: Call, both: list[object], video_file: Path, tmp_path: Path, name: str
) -> None:
    """The flow of a file comes from a data set, whose folders may differ from the file in case."""
    (tmp_path / f"{name}.mp4").write_bytes(video_file.read_bytes())
    runs = lines(call("explain", f"{name}.mp4", *both, "--json").out)
    assert [(run["video"], run["modality"]) for run in runs] == [(name, "rgb"), (name, "flow")]
    for asked in (f"{name}.mp4", name):
        pictures = lines(call("render", asked, "--json").out)
        assert [picture["modality"] for picture in pictures] == ["rgb", "flow"]


def test_every_picture_says_what_was_predicted(call: Call, both: list[object], tmp_path: Path) -> None:
    """Also where the target is a filter far below the classes."""
    call("explain", "moving-disc", *both, "-m", "rgb", "-e", "conv1")
    (run,) = Store.open(tmp_path / "gbvis.zarr").runs()
    best = run.scores[0]
    top = lines(call("predict", "moving-disc", *both, "-m", "rgb", "--clips", 1, "--json").out)[0]["top"][0]
    assert best.index == top["index"] and best.score == pytest.approx(top["score"], rel=1e-5)
    view = make_run_view(Store.open(tmp_path / "gbvis.zarr"), run, find_source=pytest.fail)
    assert view.describe_prediction().startswith(f"predicted: {top['label']}, score ")


def test_another_endpoint_of_the_same_clips_decodes_nothing(
    call: Call, weights: dict[str, Path], video_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain = ["explain", video_file, "-w", weights["rgb"]]
    assert call(*explain).code == 0

    def fail(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("gbvis.videos.readers.video_file.opened", fail)
    assert "computed in" in call(*explain, "-e", "fc", "-e", "conv3_x").out


def test_networks_of_different_classes_in_one_store(
    call: Call, both: list[object], make_weights: ModuleType, tmp_path: Path
) -> None:
    call("explain", "moving-disc", *both, "-m", "rgb", "-l", "Archery")
    state = make_weights.make_state_dict(make_weights.make_architecture(3, classes=12), 7)
    torch.save(state, tmp_path / "twelve.pth")
    assert call("explain", "moving-disc", *both[:2], "-w", tmp_path / "twelve.pth", "-l", 2).code == 0
    assert len(lines(call("render", "-l", "archery", "--json").out)) == 1
    assert len(lines(call("render", "-l", 2, "--json").out)) == 2
    call("render", "-l", 50).check_error(1, "nothing to render")
    shutil.rmtree(tmp_path / "gbvis.zarr/weights")
    call("render", "-l", "archery").check_error(1, "nothing to render")  # nobody knows names any more
    assert len(lines(call("render", "-l", 2, "--force", "--json").out)) == 2


def test_inspect_shapes(call: Call, weights: dict[str, Path]) -> None:
    shown = call("inspect-shapes", "-w", weights["flow"])
    assert shown.code == 0
    for name in [*NAMES, "conv2_x", "layer4", "avgpool", "16x112x112", "old-script"]:
        assert name in shown.out
    (found,) = lines(call("inspect-shapes", "-w", weights["rgb"], "-n", 16, "--json").out)
    assert (found["family"], found["depth"], found["classes"], found["modality"]) == ("old-script", 18, 101, "rgb")
    stage = found["endpoints"][2]
    assert stage["name"] == "Conv3d_3_x" and stage["shape"] == [16, 8, 28, 28] and stage["filters"] == 16
    assert stage["receptive_field"] == {"frames": 25, "pixels": 51}
    guided = [(one["relus"]["guided"], one["relus"]["unguided"]) for one in found["endpoints"]]
    assert guided == [(count, []) for count in (2, 10, 18, 26, 34, 34, 34, 34)]
    assert "34 of 34" in shown.out and "leaves these as they are: softmax (1)" in shown.out
    paper = lines(call("inspect-shapes", "--depth", 34, "--json").out)
    assert [(line["modality"], line["depth"]) for line in paper] == [("rgb", 34), ("flow", 34)]


def test_version(call: Call) -> None:
    assert re.fullmatch(r"gbvis \d+\.\d+\.\d+\n", call("--version").out)


def write_caffe2_flow(path: Path, make_weights: ModuleType) -> None:
    """A small flow network as VMZ wrote them: a pickle of arrays."""
    architecture = make_weights.make_architecture(2, classes=400)
    marks = dict.fromkeys([*(f"shortcut_projection_{block}_w" for block in (2, 4, 6)), "last_out_L400_w"])
    assert VMZ_CAFFE2.fit
    form = VMZ_CAFFE2.fit(VMZ_CAFFE2, marks)
    torch.manual_seed(0)
    tensors = R2Plus1D(architecture, form.variant).state_dict()
    blobs = {str(form.name_of(name)): t.numpy() for name, t in tensors.items() if "num_batches" not in name}
    path.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))


def test_a_network_that_takes_motion_in_pixels(
    call: Call, dataset: Path, make_weights: ModuleType, tmp_path: Path
) -> None:
    """The disc moves by 4 pixels a frame at 340 columns: by 2.01 at the 171 that VMZ's networks see."""
    write_caffe2_flow(tmp_path / "flow.pkl", make_weights)
    done = call("explain", "moving-disc", "-d", dataset, "-w", "flow.pkl", "-n", 8, "-e", "FC", "--json")
    (run,) = lines(done.out)
    store = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")
    (stored,) = Store.open(tmp_path / "gbvis.zarr").runs()
    pixels = store[f"moving-disc/flow/clips/{stored.clips}/pixels"]
    assert isinstance(pixels, zarr.Array) and pixels.dtype == np.float32 and pixels.shape == (1, 8, 112, 112, 2)
    level = 40 / 255 * 171 / 340
    u = np.asarray(pixels[..., 0])
    assert np.median(u[u > 1]) == pytest.approx(4 * 171 / 340, abs=level)
    assert np.abs(np.asarray(pixels[..., 1])).max() < 3 * level  # JPEG's noise
    assert np.asarray(store[f"{run['group']}/gradient"]).shape == (1, 2, 8, 112, 112)
    assert call("explain", "moving-disc", "-d", dataset, "-w", "flow.pkl", "-n", 8, "-e", "FC").out.count("cached") == 1
    assert call("render", "-o", "flow.gif").code == 0
    assert count_frames(tmp_path / "flow.gif") == 8
    shown = call("inspect-shapes", "-w", "flow.pkl", "--json")
    (shapes,) = lines(shown.out)
    assert shapes["family"] == "vmz-caffe2" and shapes["input"]["is_motion"]  # type: ignore[index]


def test_weights_read_as_another_format_are_other_weights(
    call: Call, video_file: Path, make_weights: ModuleType, tmp_path: Path
) -> None:
    architecture = make_weights.make_architecture(3, classes=7)
    torch.manual_seed(0)
    tensors = R2Plus1D(architecture, TORCHVISION.variant).state_dict()
    torch.save({str(TORCHVISION.name_of(name)): tensor for name, tensor in tensors.items()}, tmp_path / "net.pth")
    values = {}
    for _ in range(2):
        for wanted in ("torchvision", "vmz"):
            (run,) = lines(
                call("explain", video_file, "-w", "net.pth", "--checkpoint-format", wanted, "-l", 0, "--json").out
            )
            assert run["cached"] == (wanted in values)
            assert values.setdefault(wanted, run["value"]) == run["value"]
    assert values["torchvision"] != values["vmz"]
    (run,) = lines(call("explain", video_file, "-w", "net.pth", "--family", "vmz", "-l", 0, "--json").out)
    assert run["cached"] and run["value"] == values["vmz"]  # the option's old name
    call("inspect-shapes", "--depth", 18, "--family", "vmz").check_error(2, "--checkpoint-format", "-w")


@pytest.mark.parametrize("place", ["-", "/dev/stdout", "/dev/null"])
def test_what_goes_into_no_pipe(call: Call, video_file: Path, place: str) -> None:
    call("extract", video_file, "-o", place).check_error(2, f"-o {place} is no place for a folder", "two-stream")
    call("convert-weights", "sample", place, "--force").check_error(2, f"{place} is no place for a file", "weights")
    assert not Path("-").exists()
