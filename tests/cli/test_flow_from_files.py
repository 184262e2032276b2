"""Flow from any video: predict, explain, render and extract, straight from files."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr
from PIL import Image

from conftest import Call, CopyStore, read_frames
from gbvis.cli.app import run_command_line
from gbvis.errors import VideoError
from gbvis.progress import Progress
from gbvis.steps import estimated_flow
from gbvis.steps.estimated_flow import EstimatedFlow
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.streams import FlowRequest, find_stream
from gbvis.store import Store
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.readers import two_stream_folder

DIS = ["--flow-algorithm", "dis"]


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def flow_of(location: Path, weights: Path, store: Path, **request: object) -> EstimatedFlow:
    """Return the flow that a network sees of a video file, kept in `store`."""
    info = Networks(WeightsRequest((weights,))).infos["flow"]
    asked = FlowRequest(**request)  # type: ignore[arg-type]
    entry, open_store = VideoEntry(str(location)), lambda: Store.open_or_create(store)
    video = find_stream(entry, info, None, asked, open_store, Progress())
    assert isinstance(video, EstimatedFlow)
    return video


def forbid_estimation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("estimated again")

    monkeypatch.setattr(estimated_flow, "estimate_pairs", fail)


@pytest.fixture
def bowling(shared: Path, tmp_path: Path) -> Path:
    """A real clip of 126 frames: its flow takes long enough for something to happen in the middle."""
    return shutil.copy(shared / "data/videos/v_Bowling_g22_c04.avi", tmp_path / "bowling.avi")


@pytest.mark.slow
def test_both_streams_straight_from_a_file(
    process: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path
) -> None:
    """TV-L1 unless something else is asked for; the disc moves 4 pixels to the right in every frame."""
    words = [video_file, "-w", weights["rgb"], "-w", weights["flow"], "-n", 3, "--json"]
    done = process("explain", *words, "-v")
    assert done.code == 0, done.err
    assert "flow: tvl1 of 3 pairs" in done.err
    rgb, flow = lines(done.out)
    assert rgb["flow"] is None and flow["flow"]["algorithm"] == "tvl1"  # type: ignore[index]
    assert [clip["start"] for run in (rgb, flow) for clip in run["clips"]] == [4, 4]  # type: ignore[attr-defined]
    store = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")
    (kept,) = (group for name, group in store["moving-disc/flow"].groups() if name.startswith("tvl1-"))
    assert kept["motion"].shape == (11, 256, 340, 2) and kept["motion"].dtype == np.uint8
    moved = kept["motion"][5, ..., 0].astype(int)
    assert np.median(moved[moved > 140]) == round(255 * (4 + 20) / 40)
    again = process("explain", *words)
    assert all(run["cached"] for run in lines(again.out))
    pictures = process("render", "--json", "--size", 56)
    assert [picture["frames"] for picture in lines(pictures.out)] == [3, 3], pictures.err
    overlay = process("render", "-m", "flow", "--layout", "overlay", "-o", "overlay.gif", "--json")
    assert (lines(overlay.out)[0]["width"], overlay.code) == (340, 0)


@pytest.mark.slow
def test_what_was_estimated_is_not_estimated_again(
    call: Call, weights: dict[str, Path], video_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [video_file, "-w", weights["flow"], *DIS]
    assert call("explain", *words).code == 0
    forbid_estimation(monkeypatch)
    for more in (["-e", "FC"], ["--force"], ["-n", 4], ["--flow-jpeg"], ["--flow-mean-subtract"], ["--meansub"]):
        done = call("explain", *words, *more)
        assert done.code == 0 and "computed" in done.out, done.err
    assert call("predict", *words, "--clips", 1).code == 0
    with pytest.raises(AssertionError, match="estimated again"):
        call("predict", *words)


@pytest.mark.slow
def test_a_cached_run_loads_no_opencv(weights: dict[str, Path], video_file: Path, tmp_path: Path) -> None:
    words = ["explain", video_file, "-w", weights["flow"], *DIS, "--store", tmp_path / "store"]
    check = (
        "import sys; from gbvis.cli.app import run_command_line;"
        f"code = run_command_line({[str(word) for word in words]});"
        "heavy = {'cv2', 'torch'} & set(sys.modules); print(sorted(heavy)); sys.exit(code)"
    )
    loaded = [subprocess.run([sys.executable, "-c", check], capture_output=True, text=True) for _ in range(2)]
    assert [done.stdout.splitlines()[-1] for done in loaded] == ["['cv2', 'torch']", "[]"]


@pytest.mark.slow
def test_what_decides_flow_decides_the_run(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path
) -> None:
    """Algorithm, JPEG and remedy give runs of their own, which are found again and told apart in pictures."""
    asked: list[list[str]] = [DIS, ["--flow-algorithm", "farneback"], [*DIS, "--flow-jpeg"]]
    asked += [[*DIS, "--flow-mean-subtract"], [*DIS, "--meansub"]]
    explain = ["explain", video_file, "-w", weights["flow2"], "-l", "3", "--json"]
    runs = [lines(call(*explain, *options).out)[0] for options in asked]
    assert len({str(run["group"]) for run in runs}) == len(runs)
    store = Store.open(tmp_path / "gbvis.zarr")
    assert len({store.clips_of(run).pixels(0).tobytes() for run in store.runs()}) == len(runs)
    assert runs[2]["flow"]["jpeg_quality"] == 95  # type: ignore[index]
    assert [run["flow"].get("camera_motion") for run in runs[3:]] == ["mean-subtract", "meansub"]  # type: ignore[attr-defined]
    for run, options in zip(runs, asked, strict=True):
        (found,) = lines(call(*explain, *options).out)
        assert found["cached"] and found["group"] == run["group"]
    assert len(call("render", "--size", 56).out.splitlines()) == len(runs)
    assert len(call("render", "--size", 56, "--flow-algorithm", "farneback", "-o", "f.gif").out.splitlines()) == 1
    call("render", "--flow-algorithm", "tvl1").check_error(1, "nothing to render", "--flow-algorithm tvl1")


def test_a_data_set_is_asked_first_and_an_algorithm_last(
    call: Call, weights: dict[str, Path], video_file: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [video_file, "-w", weights["flow"], "-d", dataset, "--json"]
    (computed,) = lines(call("explain", *words, *DIS).out)
    forbid_estimation(monkeypatch)
    (read,) = lines(call("explain", *words).out)
    assert read["flow"] is None and computed["flow"]["algorithm"] == "dis"  # type: ignore[index]
    (sample,) = lines(call("explain", "sample:left-3", "-w", "sample", "-m", "flow", "--json").out)
    assert sample["flow"] is None


def test_names_in_a_data_set_without_flow(call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset / "example_jpegs_256", tmp_path / "data/example_jpegs_256")
    done = call("explain", "moving-disc", "-d", "data", "-w", weights["flow"], *DIS, "--json")
    assert lines(done.out)[0]["flow"] is not None
    assert call("render", "--layout", "overlay", "-d", "data", "-o", "overlay.gif").code == 0


def test_a_sample_from_its_picture_alone(call: Call, tmp_path: Path) -> None:
    """The networks that come along saw true flow; they know estimated flow too."""
    done = call("predict", "sample:right-5", "-w", "sample", "-m", "flow", "--clips", 1, "--json")
    true = lines(done.out)[0]["top"][0]["label"]  # type: ignore[index]
    done = call("predict", "sample:right-5", "-w", "sample", "-m", "flow", "--clips", 1, "--json", *DIS)
    assert lines(done.out)[0]["top"][0]["label"] == true == "right"  # type: ignore[index]


def test_motion_in_pixels_wants_no_8_bit(call: Call, video_file: Path, tmp_path: Path, make_weights: object) -> None:
    from test_commands import write_caffe2_flow

    write_caffe2_flow(tmp_path / "flow.pkl", make_weights)  # type: ignore[arg-type]
    words = ["explain", video_file, "-w", "flow.pkl", "-n", 4, "-e", "FC"]
    for option in ("--flow-jpeg", "--meansub"):
        call(*words, option).check_error(2, option, "motion in pixels")
    (run,) = lines(call(*words, "--json").out)
    assert run["flow"]["algorithm"] == "farneback" and run["flow"]["crop"] == [8, 29, 112, 112]  # type: ignore[index]
    (stored,) = Store.open(tmp_path / "gbvis.zarr").runs()
    pixels = zarr.open_group(tmp_path / "gbvis.zarr")[f"moving-disc/flow/clips/{stored.clips}/pixels"]
    assert isinstance(pixels, zarr.Array) and pixels.dtype == np.float32
    u = np.asarray(pixels[..., 0])
    assert np.median(u[u > 1]) == pytest.approx(4 * 171 / 340, abs=0.25)
    overlay = lines(call("render", "--layout", "overlay", "-o", "o.gif", "--json").out)[0]
    assert overlay["width"] == 340


def test_a_store_that_predict_does_not_need_is_not_looked_at(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "gbvis.zarr").write_text("something else")
    assert call("predict", video_file, "-w", weights["rgb"], "--clips", 1).code == 0
    call("predict", video_file, "-w", weights["flow"], "--clips", 1, *DIS).check_error(2, "is no gbvis store")


@pytest.mark.parametrize("broken", ["{", "[]", '{"shape": [], "chunk_key_encoding": {}}', '{"shape": 3}'])
def test_a_broken_array_of_flow_is_made_anew(
    call: Call, copy_store: CopyStore, weights: dict[str, Path], video_file: Path, broken: str
) -> None:
    words = [video_file, "-w", weights["flow"], *DIS]
    (about,) = copy_store(*words).glob("moving-disc/flow/dis-*/motion/zarr.json")
    about.write_text(broken)
    done = call("explain", *words, "-n", 4)
    assert done.code == 0 and "computed" in done.out, done.err


@pytest.mark.parametrize("harm", ["gone", "flipped", "empty"])
def test_a_damaged_pair_is_estimated_again(
    weights: dict[str, Path], video_file: Path, tmp_path: Path, harm: str
) -> None:
    flow = flow_of(video_file, weights["flow"], tmp_path / "store", algorithm="dis")
    flow.prepare(range(3))
    before = read_frames(flow, range(3))
    (chunk,) = (tmp_path / "store").glob("moving-disc/flow/dis-*/motion/c.1.0.0.0")
    if harm == "gone":
        chunk.unlink()
    else:
        chunk.write_bytes(b"" if harm == "empty" else chunk.read_bytes()[:-9] + b"not so its")
    again = flow_of(video_file, weights["flow"], tmp_path / "store", algorithm="dis")
    np.testing.assert_array_equal(read_frames(again, range(3)), before)
    assert chunk.stat().st_size > 100


def test_a_frame_that_cannot_be_read_loses_no_pair(
    weights: dict[str, Path], video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(video_file, weights["flow"], tmp_path / "store", algorithm="dis")
    read = flow._rgb.read

    def fail_late(number: int) -> np.ndarray:
        if number == 9:
            raise VideoError("frame 9 cannot be decoded", "encode it again")
        return read(number)

    monkeypatch.setattr(flow._rgb, "read", fail_late)
    with pytest.raises(VideoError, match="frame 9"):
        flow.prepare(range(11))
    assert flow._kept.missing(range(11)) == [8, 9, 10]


def kill_when(words: list[object], folder: Path, is_time: object) -> None:
    """Start gbvis and end it with SIGKILL as soon as `is_time()`."""
    running = subprocess.Popen([sys.executable, "-m", "gbvis", *map(str, words)], cwd=folder)
    deadline = time.monotonic() + 120
    while not is_time() and time.monotonic() < deadline:  # type: ignore[operator]
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()


@pytest.mark.slow
def test_killed_in_the_middle_explain_goes_on_where_it_was(
    call: Call, bowling: Path, weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[object] = ["explain", bowling, "-w", weights["flow2"], "--clips", "all", "-n", 25, *DIS]

    def read_times() -> dict[str, int]:
        pairs = tmp_path.glob("gbvis.zarr/bowling/flow/dis-*/motion/c.*.0")
        return {path.name: path.stat().st_mtime_ns for path in pairs}

    kill_when(words, tmp_path, lambda: len(read_times()) >= 20)
    there = read_times()
    assert 20 <= len(there) < 125
    asked: list[int] = []
    original = estimated_flow.estimate_pairs

    def counting(read: object, pairs: list[int], *rest: object) -> None:
        asked.extend(pairs)
        original(read, pairs, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(estimated_flow, "estimate_pairs", counting)
    done = call(*words)
    assert done.code == 0, done.err
    assert len(asked) == 125 - len(there)
    after = read_times()
    assert len(after) == 125 and there.items() <= after.items()


def test_extract_then_read_it_back(call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path) -> None:
    """Without JPEG the very same flow, with JPEG that of `--flow-jpeg`; bounds beside u; RGB at 256."""
    straight = read_frames(flow_of(video_file, weights["flow"], tmp_path / "store", algorithm="dis"), range(11))
    through = flow_of(video_file, weights["flow"], tmp_path / "store", algorithm="dis", is_jpeg=True)
    for options, expected in ((["--lossless"], straight), ([], read_frames(through, range(11)))):
        done = call("extract", video_file, "-o", "data" + "".join(options), *DIS, *options, "--json")
        (line,) = lines(done.out)
        assert line["frames"] == {"rgb": 12, "flow": 11} and not line["cached"]
        dataset = tmp_path / str(line["dataset"])
        rgb, flow = (two_stream_folder.read("moving-disc", modality, dataset) for modality in ("rgb", "flow"))
        assert rgb and flow
        assert (rgb.shape.height, rgb.shape.width, rgb.shape.frame_count) == (256, 340, 12)
        np.testing.assert_array_equal(read_frames(flow, range(11)), expected)
        bounds = np.fromfile(dataset / "tvl1_flow/u/moving-disc.bin", "<f4").reshape(-1, 4)
        np.testing.assert_array_equal(bounds, [[-20, 20, -20, 20]] * 11)
        assert not [path for path in dataset.rglob("*") if path.name.startswith((".", "unfinished"))]
    assert 0 < np.abs(straight.astype(int) - read_frames(through, range(11))).mean() < 0.5
    for dataset in ("data", "data--lossless"):
        assert call("explain", "moving-disc", "-d", dataset, "-w", weights["flow"], "-w", weights["rgb"]).code == 0


def test_extract_again_writes_nothing(call: Call, video_file: Path, shared: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video_file.read_bytes())
    extract = ["extract", clip, "-o", "data", *DIS]
    assert "written" in call(*extract, "-m", "rgb").out
    assert call(*extract).out.startswith("clip  12 rgb frames, 11 flow frames  written")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*.jpg")}
    assert len(times) == 12 + 2 * 11
    assert "there already" in call(*extract).out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*.jpg")} == times
    call("extract", clip, "-o", "data", "--flow-algorithm", "farneback").check_error(
        1, "made in another way", "--force"
    )
    (tmp_path / "data/tvl1_flow/v/clip/frame000003.jpg").unlink()
    (tmp_path / "data/tvl1_flow/u/clip.bin").unlink()
    assert "written" in call(*extract).out  # what was lost, and no more
    now = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*.jpg")}
    assert {path.name for path, time in now.items() if times[path] != time} == {"frame000003.jpg"}
    assert (tmp_path / "data/tvl1_flow/u/clip.bin").stat().st_size == 16 * 11
    assert "written" in call(*extract, "--force").out
    clip.write_bytes((shared / "data/videos/v_Archery_g02_c02.avi").read_bytes())
    call(*extract).check_error(1, "from another video", "--force")
    assert len(list((tmp_path / "data").rglob("*.jpg"))) == 12 + 2 * 11


def test_extract_never_writes_over_a_data_set(call: Call, dataset: Path, video_file: Path, tmp_path: Path) -> None:
    """A folder that somebody else made is left alone; new videos go into the folders that are there."""
    shutil.copytree(dataset, tmp_path / "data")
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    call("extract", video_file, "-o", "data", *DIS).check_error(1, "moving-disc is there already")
    assert call("extract", "sample:left-1", "-o", "data", *DIS).code == 0
    assert (tmp_path / "data/example_jpegs_256/jpegs_256/left-1/frame000017.jpg").is_file()
    assert (tmp_path / "data/example_tvl1_flow/tvl1_flow/v/left-1/frame000016.jpg").is_file()
    assert all(path.read_bytes() == content for path, content in before.items())
    code = run_command_line(["extract", str(video_file)])
    assert code == 2


@pytest.mark.slow
def test_killed_in_the_middle_extract_goes_on_where_it_was(
    call: Call, bowling: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    """A half-written video is no video to `-d`, whose second half costs no more than it must."""
    words: list[object] = ["extract", bowling, "-o", "data", *DIS]
    partial = tmp_path / "data/tvl1_flow/v/.bowling.partial"
    kill_when(words, tmp_path, lambda: partial.is_dir() and len(list(partial.iterdir())) >= 20)
    assert not (tmp_path / "data/jpegs_256/bowling").exists() and not (tmp_path / "data/tvl1_flow/u/bowling").exists()
    call("predict", "bowling", "-d", "data", "-w", weights["rgb"]).check_error(1, "no rgb of bowling")
    there = {path.name: path.stat().st_mtime_ns for path in partial.glob("frame*.jpg")}
    assert call(*words).code == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "data/tvl1_flow/v/bowling").iterdir()}
    assert len(after) == 125 and there.items() <= after.items()
    assert len(list((tmp_path / "data/jpegs_256/bowling").iterdir())) == 126
    assert call("extract", bowling, "-o", "whole", *DIS).code == 0
    for path in (tmp_path / "whole").rglob("*.jpg"):
        assert path.read_bytes() == (tmp_path / "data" / path.relative_to(tmp_path / "whole")).read_bytes()


@pytest.mark.slow
def test_one_process_at_a_time_extracts_a_video(call: Call, bowling: Path, tmp_path: Path) -> None:
    words: list[object] = ["extract", bowling, "-o", "data", *DIS]
    running = subprocess.Popen([sys.executable, "-m", "gbvis", *map(str, words)], cwd=tmp_path)
    while not (tmp_path / "data/jpegs_256/.bowling.partial").is_dir():
        time.sleep(0.02)
    call(*words).check_error(1, "is being extracted by process")
    assert running.wait(timeout=120) == 0
    assert "there already" in call(*words).out


def test_force_takes_nothing_away_before_all_is_written(call: Call, video_file: Path, tmp_path: Path) -> None:
    extract = ["extract", video_file, "-o", "data"]
    assert call(*extract, *DIS).code == 0
    u = tmp_path / "data/tvl1_flow/u/moving-disc"
    before = {path.name: path.read_bytes() for path in u.iterdir()}
    broken = estimated_flow.estimate_pairs

    def fail_late(read: object, pairs: list[int], *rest: object) -> None:
        broken(read, pairs[:5], *rest)  # type: ignore[arg-type]
        raise VideoError("a frame cannot be decoded", "encode the video again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gbvis.steps.extract.estimate_pairs", fail_late)
        call(*extract, "--flow-algorithm", "farneback", "--force").check_error(1, "cannot be decoded")
    assert {path.name: path.read_bytes() for path in u.iterdir()} == before
    assert call("predict", "moving-disc", "-d", "data", "-w", "sample", "-m", "flow").code == 0
    done = call(*extract, "--flow-algorithm", "farneback", "--force", "-v")
    assert "6 pairs to do" in done.err
    assert {path.name: path.read_bytes() for path in u.iterdir()} != before
    assert not [path for path in (tmp_path / "data").rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["..mp4", "...mp4"])
def test_no_name_leads_out_of_a_data_set(call: Call, video_file: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(video_file.read_bytes())
    assert call("extract", "sample:left-1", "-o", "data", *DIS).code == 0
    before = sorted((tmp_path / "data").rglob("*"))
    call("extract", name, "-o", "data", *DIS, "--force").check_error(1, "no video named")
    assert sorted((tmp_path / "data").rglob("*")) == before
    call("extract", video_file, "-o", "", *DIS).check_error(2, "-o names no folder")


def test_names_that_differ_in_a_dot(call: Call, video_file: Path, tmp_path: Path) -> None:
    for name in (".dot.mp4", "dot.mp4"):
        (tmp_path / name).write_bytes(video_file.read_bytes())
    extract = ["extract", ".dot.mp4", "dot.mp4", "-o", "data", *DIS]
    assert call(*extract).out.count("written") == 2
    assert call(*extract).out.count("there already") == 2


def test_frames_that_change_size(call: Call, tmp_path: Path, make_weights: object) -> None:
    """Also where motion is estimated on a square that is the same for all sizes."""
    from test_commands import write_caffe2_flow

    write_caffe2_flow(tmp_path / "flow.pkl", make_weights)  # type: ignore[arg-type]
    (tmp_path / "video").mkdir()
    for number in range(8):
        size = (160, 120) if number < 5 else (80, 60)
        Image.new("RGB", size, (20 * number, 0, 0)).save(tmp_path / f"video/{number}.png")
    call("explain", "video", "-w", "flow.pkl", "-n", 7).check_error(1, "frames 4 and 5 differ in size")
    call("extract", "video", "-o", "data", *DIS).check_error(1, "frame 5 of", "80x60", "160x120")


def test_a_data_set_of_flow_alone_cannot_be_estimated_from(call: Call, video_file: Path) -> None:
    assert call("extract", video_file, "-o", "data", "-m", "flow", *DIS).code == 0
    done = call("predict", "moving-disc", video_file, "-d", "data", "-w", "sample", "-m", "flow", *DIS)
    done.check_error(1, "no rgb of moving-disc")
    assert "moving-disc.mp4  flow" in done.out  # told apart from the one in the data set


@pytest.mark.slow
def test_two_processes_estimate_a_pair_once(weights: dict[str, Path], shared: Path, tmp_path: Path) -> None:
    words = ["explain", shared / "data/videos/demo.mp4", "-w", weights["flow2"], "--clips", 2, *DIS, "-v"]
    called = [sys.executable, "-m", "gbvis", *map(str, words)]
    running = [subprocess.Popen(called, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert "".join(told).count("dis of 16 pairs") == 1


def test_many_videos_and_a_broken_one(call: Call, video_file: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(video_file.read_bytes()[:3000])
    (tmp_path / "list").write_text("sample:left-1\nbroken.mp4\nsample:up-1\n")
    done = call("extract", "--videos-from", "list", "-o", "data", *DIS, "--json")
    assert done.code == 1
    assert [line.get("error") is None for line in lines(done.out)] == [True, False, True]
    assert not (tmp_path / "data/jpegs_256/broken").exists()
