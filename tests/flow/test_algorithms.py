"""Every registered way of estimating motion, against motion that is known because the frames were drawn with it."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from conftest import Call
from gbvis.errors import UsageError
from gbvis.flow import ALGORITHMS
from gbvis.flow.preprocess import load_opencv
from gbvis.videos.motion import Motion

RIM = 20
MEAN_ERROR = {"tvl1": 0.1, "dis": 0.1, "farneback": 0.1}
"""Pixels, without the rim."""
LARGEST_ERROR = {"tvl1": 0.2, "dis": 0.3, "farneback": 0.5}
"""Farnebäck's, with VMZ's settings, is the coarsest: it smooths over a wide window, and misses by 0.15 at the rim."""


def draw_texture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return waves of many lengths, 3 to 192 pixels, in random directions: exact at any place."""
    random = np.random.default_rng(0)
    texture = np.zeros(x.shape)
    for length in np.repeat([3, 6, 12, 24, 48, 96], 8) * random.uniform(1, 2, 48):
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        texture += np.cos(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y) / length + phase) * length**0.5
    return texture


def draw_pair(kind: str, height: int = 160, width: int = 200) -> tuple[np.ndarray, np.ndarray, Motion]:
    """Return two grey frames, uint8 (H, W), and the motion between them, which is 3 pixels at most."""
    y, x = np.mgrid[:height, :width].astype(float)
    places = np.stack([x - (width - 1) / 2, y - (height - 1) / 2], axis=-1)
    reach = np.hypot(width, height) / 2
    turn, shift = np.eye(2), np.zeros(2)
    if kind == "shift":
        shift = np.array([2.3, -1.9])
    elif kind == "turn":
        sine = 3 / reach
        turn = np.array([[(1 - sine**2) ** 0.5, -sine], [sine, (1 - sine**2) ** 0.5]])
    else:
        turn = np.eye(2) * (1 + 3 / reach)
    motion = places @ turn.T - places + shift
    back = (places - shift) @ np.linalg.inv(turn).T
    before, after = draw_texture(places[..., 0], places[..., 1]), draw_texture(back[..., 0], back[..., 1])
    low, high = before.min(), before.max()
    frames = [np.rint(np.clip(255 * (one - low) / (high - low), 0, 255)).astype(np.uint8) for one in (before, after)]
    return frames[0], frames[1], motion.astype(np.float32)


@pytest.mark.parametrize("kind", ["shift", "turn", "grow"])
@pytest.mark.parametrize("name", ALGORITHMS.names)
def test_a_moved_texture(name: str, kind: str) -> None:
    before, after, motion = draw_pair(kind)
    assert 2 < np.linalg.norm(motion, axis=-1).max() <= 3.01
    found = ALGORITHMS.load(name).estimate(before, after)
    assert found.shape == (*before.shape, 2) and found.dtype == np.float32
    error = np.linalg.norm(found - motion, axis=-1)[RIM:-RIM, RIM:-RIM]
    assert error.mean() < MEAN_ERROR[name]
    assert error.max() < LARGEST_ERROR[name]


@pytest.mark.parametrize("name", ALGORITHMS.names)
def test_threads_change_no_number(name: str) -> None:
    before, after, _ = draw_pair("turn", 96, 128)
    opencv = load_opencv()
    threads = opencv.getNumThreads()
    try:
        opencv.setNumThreads(1)
        alone = ALGORITHMS.load(name).estimate(before, after)
        opencv.setNumThreads(2)
        np.testing.assert_array_equal(ALGORITHMS.load(name).estimate(before, after), alone)
    finally:
        opencv.setNumThreads(threads)


def test_the_settings_are_opencvs_defaults_where_they_say_so() -> None:
    """TV-L1's are given one by one, so that no release of OpenCV changes numbers; today they are its own."""
    before, after, _ = draw_pair("shift", 96, 128)
    default = load_opencv().optflow.DualTVL1OpticalFlow_create().calc(before, after, None)
    np.testing.assert_array_equal(ALGORITHMS.load("tvl1").estimate(before, after), default)


@pytest.mark.parametrize("harm", ["sys.modules['cv2'] = None", "import cv2; del cv2.optflow"])
def test_without_the_extra_one_line_says_what_to_install(harm: str, tmp_path: Path) -> None:
    check = (
        f"import sys; {harm}; from gbvis.cli.app import run_command_line;"
        f"sys.exit(run_command_line(['extract', 'sample:left-1', '-o', '{tmp_path}/data']))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 2
    assert "gbvis[flow]" in done.stderr and "OpenCV" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def _without_contrib(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV as `opencv-python-headless` brings it."""
    monkeypatch.delattr(load_opencv(), "optflow")
    monkeypatch.setattr("importlib.metadata.version", version_of_a_plain_opencv)


def version_of_a_plain_opencv(package: str) -> str:
    if package.startswith("opencv") and package != "opencv-python-headless":
        raise PackageNotFoundError(package)
    return "5.0.0.93"


@pytest.mark.usefixtures("_without_contrib")
def test_tvl1_alone_asks_for_contributed_modules(call: Call, video_file: Path) -> None:
    called = call("extract", video_file, "-o", "data")
    called.check_error(2, "found opencv-python-headless 5.0.0.93", "uninstall", "gbvis[flow]", "--flow-algorithm dis")
    assert not list(Path().iterdir())
    assert call("extract", video_file, "-o", "data", "--flow-algorithm", "dis").code == 0
    assert call("extract", video_file, "-o", "frames", "-m", "rgb").code == 0  # which asks for no motion


@pytest.mark.usefixtures("_without_contrib")
@pytest.mark.parametrize("algorithm", [None, "dis", "farneback"])
def test_explaining_flow_with_a_plain_opencv(
    call: Call, weights: dict[str, Path], video_file: Path, algorithm: str | None
) -> None:
    option = ["--flow-algorithm", algorithm] if algorithm else []
    called = call("explain", video_file, "-w", weights["flow"], "-n", "4", "-e", "Conv3d_1", *option)
    if algorithm:
        assert called.code == 0, called.err
    else:
        called.check_error(2, "TV-L1", "opencv-python-headless 5.0.0.93")


@pytest.mark.parametrize(("release", "is_taken"), [("4.14.0", False), ("5.0.0", True), ("5.1.0-dev", True)])
def test_tvl1_of_opencv_4_gives_other_numbers(monkeypatch: pytest.MonkeyPatch, release: str, is_taken: bool) -> None:
    monkeypatch.setattr(load_opencv(), "__version__", release)
    ALGORITHMS.load("dis").check()
    if is_taken:
        ALGORITHMS.load("tvl1").check()
        return
    with pytest.raises(UsageError, match="TV-L1 of OpenCV 4.14.0 gives other numbers") as error:
        ALGORITHMS.load("tvl1").check()
    assert "opencv-contrib-python-headless>=5" in error.value.hint


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown flow algorithm 'tvl2'") as error:
        ALGORITHMS.load("tvl2")
    assert "did you mean tvl1?" in error.value.hint
