"""What tests share: tiny networks, the drawn clip of `material/`, and the material beside the repository."""

import gc
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: a thread each, or they wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from gbvis.cli.app import run_command_line
from gbvis.videos.video import Video

pytest_plugins = ["browser.fixtures"]

ROOT = Path(__file__).parent.parent
MATERIAL = ROOT / "tests/material"
SHARED = ROOT.parent / "shared"


_ROOM = 4 << 30
"""Bytes that temporary files have to have in memory."""


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests and all that they start a folder of prepared networks, never the developer's own."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share it
        _use_memory()
        cache = TemporaryDirectory(prefix="gbvis-tests-")
        os.environ["XDG_CACHE_HOME"] = cache.name
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache.name  # else torch sets it later, and `warm` serves no call then
        config.add_cleanup(cache.cleanup)


def _use_memory() -> None:
    """Keep temporary files in memory where there is room: stores wait for the disk, tests then do little else."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


class Called:
    """What a command line left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def check_error(self, code: int, *words: str) -> None:
        """Check that it failed with one error and one hint that hold these words, and no traceback."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert self.err.count("error: ") == 1 and self.err.count("hint: ") == 1, self.err
        for word in words:
            assert word in self.err, self.err


Call = Callable[..., Called]
"""Runs a command line."""

CopyStore = Callable[..., Path]
"""Copies a store into the folder that a command line runs in."""


def read_frames(video: Video, numbers: Iterable[int]) -> np.ndarray:
    """Return some frames of a video: uint8 (T, H, W, C)."""
    return np.stack([video.read(number) for number in numbers])


def load_script(path: Path) -> ModuleType:
    """Return a script as a module."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own environment out of the tests."""
    for name in list(os.environ):
        if name.startswith("GBVIS_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The original programs' numbers and real clips; the project's own CI says that they must be there."""
    if not SHARED.is_dir():
        if os.environ.get("NEED_SHARED"):
            pytest.fail(f"{SHARED} is missing, and NEED_SHARED is set")
        pytest.skip(f"needs {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def rules(shared: Path) -> ModuleType:
    """The rules behind the golden files."""
    return load_script(shared / "golden/rules.py")


@pytest.fixture(scope="session")
def make_weights() -> ModuleType:
    """`material/make_weights.py`."""
    return load_script(MATERIAL / "make_weights.py")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, make_weights: ModuleType) -> dict[str, Path]:
    """Tiny checkpoints in the old script's layout with random weights, by stream."""
    import torch  # not above: the process that shares the tests among workers runs none

    folder = tmp_path_factory.mktemp("weights")
    paths = {}
    for seed, (name, channels) in enumerate({"rgb": 3, "flow": 1, "flow2": 2}.items()):
        state_dict = make_weights.make_state_dict(make_weights.make_architecture(channels), seed)
        paths[name] = folder / f"{name}.pth"
        torch.save({"content": {name[:4].strip("2"): {"split1": {"state_dict": state_dict}}}}, paths[name])
    return paths


@pytest.fixture(scope="session")
def dataset() -> Path:
    """The two-stream data set of `material/`: the video `moving-disc`, 12 RGB frames and 11 flow frames."""
    return MATERIAL / "two-stream"


@pytest.fixture(scope="session")
def video_file() -> Path:
    """The drawn clip as a video file: 12 frames, 340x256, H.264."""
    return MATERIAL / "moving-disc.mp4"


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the store that `gbvis explain` makes with some words: it is made once, and nobody may change it."""
    folder = tmp_path_factory.mktemp("explained")

    @cache
    def make(*words: str) -> Path:
        store = folder / f"{sum(1 for _ in folder.iterdir())}.zarr"
        assert run_command_line(["explain", *words, "--store", str(store), "--quiet"]) == 0
        return store

    return make


@pytest.fixture
def copy_store(tmp_path: Path, make_store: Callable[..., Path]) -> CopyStore:
    """Copy into the empty folder what `gbvis explain` leaves there with some words: a store."""

    def copy(*words: object, name: str = "gbvis.zarr") -> Path:
        return Path(shutil.copytree(make_store(*map(str, words)), tmp_path / name))

    return copy


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Called:
        capsys.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """Leave what imports and collecting made out of garbage collections: it lasts, and is half a million objects."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--warm`: processes that tests start are served by a worker."""
    parser.addoption("--warm", action="store_true", help="run the tests that start processes, with a worker")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--warm`, do not import files that do not name the fixture: that takes longer than the tests."""
    if config.getoption("--warm") and collection_path.suffix == ".py":
        return "process" not in collection_path.read_text(encoding="utf-8") or None
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--warm`, run the tests alone that start processes."""
    if config.getoption("--warm"):
        items[:] = [item for item in items if "process" in getattr(item, "fixturenames", ())]


@contextmanager
def run_worker(gbvis: Sequence[str | Path], folder: Path) -> Iterator[dict[str, str]]:
    """Run a worker for calls of `gbvis`, with its socket in a folder; gives the variable by which calls find it."""
    words = [*gbvis, "warm"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    for name in [name for name in environment if name.startswith("GBVIS_")]:
        del environment[name]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout
    found = re.search("GBVIS_WARM=(.+?);", said)
    assert found, said
    variables = {"GBVIS_WARM": found[1]}
    yield variables
    subprocess.run([*words, "--stop"], check=True, env={**environment, **variables}, stdout=subprocess.DEVNULL)
    assert not list(folder.iterdir())


@pytest.fixture(scope="session")
def warm() -> Iterator[dict[str, str]]:
    """The variable by which calls find a worker, which runs until the tests are over; its folder has a short path."""
    with (
        TemporaryDirectory(prefix="gbvis-") as folder,
        run_worker([sys.executable, "-m", "gbvis"], Path(folder)) as variables,
    ):
        yield variables


@pytest.fixture
def process(tmp_path: Path, request: pytest.FixtureRequest) -> Call:
    """Run a command line as a process of its own, in an empty folder, as a user does."""
    variables = request.getfixturevalue("warm") if request.config.getoption("--warm") else {}

    def run(*arguments: object, stdin: str | None = None) -> Called:
        words = [sys.executable, "-m", "gbvis", *map(str, arguments)]
        environment = {**os.environ, **variables}
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=tmp_path, input=stdin, timeout=300, env=environment
        )
        return Called(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def random() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(0)
