"""Calls under `gbvis warm` do what they do without it, and nothing of a worker outlives what it was started for."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import Call, CopyStore

GBVIS = [sys.executable, "-m", "gbvis"]
EXPLAIN = ["explain", "sample:right-3", "-w", "sample", "-m", "rgb"]
ALL_ENDPOINTS = ["-w", "sample", "-m", "rgb", "-e", "all", "--json"]
MANY = ["explain", *(f"sample:{way}-{seed}" for way in ("left", "right", "up") for seed in range(20)), *ALL_ENDPOINTS]
"""Many seconds of work, for calls that are interrupted."""

SOME = ["explain", *(f"sample:left-{seed}" for seed in range(8)), *ALL_ENDPOINTS]
"""Enough work for something to happen in the middle, for calls that are waited for."""


@pytest.fixture(autouse=True)
def _heeded_interrupt() -> Iterator[None]:
    """Let processes heed SIGINT: where tests run in the background of a shell, it is ignored, and they would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def environment_of(warm: dict[str, str], **more: str) -> dict[str, str]:
    return {**os.environ, **warm, **more}


def both_ways(words: list[str], folder: Path, warm: dict[str, str]) -> tuple[subprocess.CompletedProcess[bytes], ...]:
    """Return what a command line comes to by itself, and what it comes to with a worker; each in a new folder."""
    done = []
    for name, variables in (("alone", {}), ("served", warm)):
        (folder / name).mkdir()
        environment = environment_of(variables)
        done.append(subprocess.run([*GBVIS, *words], cwd=folder / name, env=environment, capture_output=True))
    return tuple(done)


def plain(text: bytes) -> str:
    """Return output without what two calls differ in: how long they took, and their folder."""
    said = re.sub(r"/(alone|served)/", "/FOLDER/", text.decode())
    return re.sub(r"\d+\.\d+ s\b|\"seconds\": [\d.e-]+", "TIME", said)


@pytest.mark.parametrize("line", ["--version", "--help", "explain sample:right-3 -w sample --json"])
def test_a_call_is_the_same_with_and_without(line: str, tmp_path: Path, warm: dict[str, str]) -> None:
    alone, served = both_ways(line.split(), tmp_path, warm)
    assert alone.returncode == served.returncode
    assert plain(alone.stdout) == plain(served.stdout)
    assert plain(alone.stderr) == plain(served.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "predict sample:right-3 -w sample",
        "explain nothing.mp4 sample:left-3 -w sample --json",
        "explain sample:right-3 -w sample -e nowhere",
        "explain sample:right-3 -w missing.pth",
        "inspect-shapes -w sample --json",
        "render",
        "explain sample:right-3 -w sample -v --label 99",
        "explain sample:right-3 -w sample --method occlusion:box=8x36x36,stride=8x36x36,follow=flow --json "
        "--flow-algorithm dis",
        "explode",
    ],
)
def test_a_call_is_the_same_as_in_this_process(line: str, tmp_path: Path, warm: dict[str, str], call: Call) -> None:
    """As the test above, without the seconds in which a process of its own loads torch."""
    (tmp_path / "served").mkdir()
    words = [*GBVIS, *line.split()]
    served = subprocess.run(words, cwd=tmp_path / "served", env=environment_of(warm), capture_output=True)
    alone = call(*line.split())
    assert alone.code == served.returncode
    assert plain(alone.out.encode()) == plain(served.stdout)
    assert plain(alone.err.encode()) == plain(served.stderr)


@pytest.mark.slow
def test_numbers_are_the_same_bits(tmp_path: Path, warm: dict[str, str], make_store: Callable[..., Path]) -> None:
    from gbvis.store import Store

    words = [*EXPLAIN, "-e", "all"]
    subprocess.run([*GBVIS, *words], cwd=tmp_path, env=environment_of(warm), check=True, capture_output=True)
    stores = (Store.open(store) for store in (make_store(*words[1:]), tmp_path / "gbvis.zarr"))
    alone, served = (sorted(store.runs(), key=lambda run: run.key) for store in stores)
    assert len(alone) == len(served) > 5
    for one, other in zip(alone, served, strict=True):
        assert one.to_numpy().tobytes() == other.to_numpy().tobytes()


def test_it_is_served(tmp_path: Path, warm: dict[str, str], copy_store: CopyStore) -> None:
    """Else the tests above would compare a thing with itself."""
    copy_store(*EXPLAIN[1:])
    trace = [sys.executable, "-X", "importtime", "-m", "gbvis", *EXPLAIN, "-v"]
    done = subprocess.run(trace, cwd=tmp_path, env=environment_of(warm), capture_output=True, text=True, check=True)
    assert "no worker: the Python of this call is another one" in done.stderr
    environment = environment_of(warm)
    done = subprocess.run([*GBVIS, *EXPLAIN, "-v"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "worker" not in done.stderr


def test_the_client_loads_nothing_heavy(warm: dict[str, str]) -> None:
    loads = "import sys, gbvis.cli.start, gbvis.cli.warm.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "typer", "rich", "msgspec", "av", "pathlib"} & {*loaded}


@pytest.mark.slow
def test_another_number_of_threads_is_not_served(tmp_path: Path, warm: dict[str, str], copy_store: CopyStore) -> None:
    copy_store(*EXPLAIN[1:])
    environment = environment_of(warm, OMP_NUM_THREADS="3")
    done = subprocess.run([*GBVIS, *EXPLAIN, "-v"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    assert "no worker: the environment of this call is another one" in done.stderr
    done = subprocess.run([*GBVIS, *EXPLAIN], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "worker" not in done.stderr


@pytest.mark.slow
def test_a_worker_that_is_gone_is_not_missed(tmp_path: Path, copy_store: CopyStore) -> None:
    copy_store(*EXPLAIN[1:])
    environment = environment_of({"GBVIS_WARM": str(tmp_path / "nothing")})
    done = subprocess.run([*GBVIS, *EXPLAIN, "-v"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "no worker: " in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        "umask 077; gbvis explain sample:right-3 -w sample -m rgb -q --store s; find s -type f -perm /077 | wc -l",
        "echo sample:right-3 | gbvis explain --videos-from - -w sample -m rgb --json | wc -l",
        "gbvis explain --videos-from <(echo sample:right-3; echo sample:left-3) -w sample -m rgb --json | wc -l",
        "gbvis explain sample:right-3 -w sample -m rgb --json 3>three >&3; wc -l < three",
        "mkdir x; cd x; rmdir ../x; gbvis explain sample:right-3 -w sample --store ../gbvis.zarr --json; echo $?",
        "gbvis explain sample:right-3 -w sample --json >&-; echo $?",
        "gbvis explain sample:right-3 -w sample --json > /dev/full; echo $?",
        "gbvis explain sample:right-3 sample:left-3 -w sample -e all --json | head -n 1 | wc -l",
        "gbvis explain sample:right-3 -w sample 2>&- | wc -l",
        "gbvis explain -w sample < /dev/null; echo $?",
        "TZ=Asia/Tokyo COLUMNS=50 gbvis explain --help",
    ],
)
def test_a_shell_sees_no_difference(script: str, tmp_path: Path, warm: dict[str, str], copy_store: CopyStore) -> None:
    """Where nothing says otherwise, with results that are in a store already: what is tried is how they come out."""
    said = []
    for name, variables in (("alone", {}), ("served", warm)):
        copy_store("sample:right-3", "sample:left-3", "-w", "sample", name=f"{name}/gbvis.zarr")
        with_gbvis = f'gbvis() {{ {sys.executable} -m gbvis "$@"; }}; {script}'
        environment, words = environment_of(variables), ["bash", "-c", with_gbvis]
        done = subprocess.run(words, cwd=tmp_path / name, env=environment, capture_output=True, timeout=60)
        said.append((done.returncode, plain(done.stdout), plain(done.stderr)))
    assert said[0] == said[1]


@pytest.mark.slow
def test_a_terminal_is_a_terminal(tmp_path: Path, warm: dict[str, str]) -> None:
    shown = []
    for name, variables in (("alone", {}), ("served", warm)):
        (tmp_path / name).mkdir()
        ours, theirs = pty.openpty()
        environment = environment_of(variables, TERM="xterm")
        with subprocess.Popen(
            [*GBVIS, "explain", "sample:right-3", "-w", "sample"],
            cwd=tmp_path / name, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        ) as running:  # fmt: skip
            os.close(theirs)
            output = b""
            with pytest.raises(OSError):  # the end of a terminal
                while True:
                    output += os.read(ours, 65536)
        assert running.returncode == 0
        os.close(ours)
        words = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", plain(output))
        shown.append({line.strip() for line in words.splitlines() if "guided-backprop" in line})
        assert b"\x1b[" in output  # bars
    assert shown[0] == shown[1] != set()


@pytest.fixture
def started(tmp_path: Path, warm: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a call of many runs, and return it when its first line is there."""
    running: list[subprocess.Popen[bytes]] = []

    def start(variables: dict[str, str] = warm, words: Sequence[str] = MANY) -> subprocess.Popen[bytes]:
        environment = environment_of(variables)
        call = subprocess.Popen(
            [*GBVIS, *words], cwd=tmp_path, env=environment, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.append(call)
        assert call.stdout
        call.first = call.stdout.readline()  # type: ignore[attr-defined]
        return call

    yield start
    for call in running:
        call.kill()
        call.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138), ("SIGHUP", -signal.SIGHUP)]
)
def test_signals_are_passed_on(number: str, code: int, started: Callable[..., subprocess.Popen[bytes]]) -> None:
    call = started()
    call.send_signal(getattr(signal, number))
    out, err = call.communicate(timeout=60)
    assert call.returncode == code
    assert b"Traceback" not in err and len(out.splitlines()) < 400
    assert (b"interrupted" in err) == (number != "SIGHUP")


def children_of(process: int) -> set[int]:
    """Return the living processes that descend from one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    found = {process} & {*parents}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def processes_with(runtime: Path) -> list[int]:
    """Return the processes of gbvis that were started with this folder for sockets."""
    mark = f"XDG_RUNTIME_DIR={runtime}\0".encode()
    folders = Path("/proc").glob("[0-9]*")
    return [
        int(one.name)
        for one in folders
        if mark in read_or_empty(one / "environ") and b"gbvis" in read_or_empty(one / "cmdline")
    ]


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder for sockets, with a path so short that sockets have room in it."""
    with TemporaryDirectory(prefix="gbvis-") as name:
        yield Path(name)


@pytest.fixture
def own(runtime: Path) -> Iterator[tuple[dict[str, str], int]]:
    """A worker of this test's own, as the variable that leads to it and its front's process."""
    environment = environment_of({}, XDG_RUNTIME_DIR=str(runtime))
    said = subprocess.run([*GBVIS, "warm", "--idle", "1m"], capture_output=True, text=True, check=True, env=environment)
    address = said.stdout.split(";")[0].partition("=")[2]
    started = processes_with(runtime)
    (front,) = (one for one in started if parent_of(one) not in started)
    yield {"GBVIS_WARM": address}, front
    for one in children_of(front):
        kill(one)


def kill(process: int) -> None:
    """Kill a process, which may have ended since it was listed."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def read_or_empty(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def check_complete(call: subprocess.Popen[bytes]) -> None:
    """Check that every run of `SOME` was printed, once."""
    out, err = call.communicate(timeout=120)
    assert call.returncode == 0, err
    groups = [json.loads(line)["group"] for line in [call.first, *out.splitlines()]]  # type: ignore[attr-defined]
    assert len(groups) == len({*groups}) == 8 * 8
    assert b"Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("is_all", [False, True], ids=["worker", "all of it"])
def test_what_is_killed_is_not_missed(
    is_all: bool, own: tuple[dict[str, str], int], started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    variables, front = own
    call = started(variables, SOME)
    for one in children_of(front):
        if is_all or b"libtorch" in read_or_empty(Path(f"/proc/{one}/maps")):
            kill(one)
    check_complete(call)


@pytest.mark.slow
def test_a_killed_front_leaves_nothing_running(own: tuple[dict[str, str], int], runtime: Path, tmp_path: Path) -> None:
    variables, front = own
    subprocess.run([*GBVIS, *EXPLAIN], cwd=tmp_path, env=environment_of(variables), check=True, capture_output=True)
    wait_until(lambda: len(children_of(front)) == 2)  # the call's own child ends a moment after it
    os.kill(front, signal.SIGKILL)
    wait_until(lambda: not processes_with(runtime))


@pytest.mark.slow
def test_a_killed_call_leaves_nothing_running(
    own: tuple[dict[str, str], int], started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    variables, front = own
    before = len(children_of(front))
    call = started(variables)
    assert len(children_of(front)) == before + 1
    call.kill()
    wait_until(lambda: len(children_of(front)) == before)


@pytest.mark.slow
def test_a_stopped_call_stands_still(
    own: tuple[dict[str, str], int], started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    variables, front = own
    call = started(variables, SOME)
    call.send_signal(signal.SIGTSTP)
    wait_until(lambda: state_of(call.pid) == "T")
    assert "T" in {state_of(one) for one in children_of(front)}
    call.send_signal(signal.SIGCONT)
    check_complete(call)


@pytest.mark.slow
def test_a_killed_command_takes_its_worker_along(runtime: Path) -> None:
    environment = environment_of({}, XDG_RUNTIME_DIR=str(runtime))
    call = subprocess.Popen(
        [*GBVIS, "warm", "--", "sh", "-c", "echo $GBVIS_WARM; sleep 60; true"],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert call.stdout and Path(call.stdout.readline().strip()).exists()
    wait_until(lambda: len(processes_with(runtime)) >= 2)
    call.kill()
    call.stdout.close()
    call.wait()
    wait_until(lambda: not processes_with(runtime))
    wait_until(lambda: not list(runtime.iterdir()))


@pytest.mark.slow
def test_a_command_is_given_what_it_would_be_given(tmp_path: Path) -> None:
    """Python ignores SIGPIPE; a standard stream may be closed, SIGCHLD ignored."""
    script = "yes | head -n 1; gbvis explain sample:right-3 -w sample -m rgb -v -q <&- 2>&1 | grep -c worker"
    with_gbvis = f'gbvis() {{ {sys.executable} -m gbvis "$@"; }}; trap "" CHLD; gbvis warm -- bash -c \'{{}}\' <&-'
    inner = f'gbvis() {{ {sys.executable} -m gbvis "$@"; }}; {script}'
    line = with_gbvis.replace("{}", inner)
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("y\n0\n", "")


@pytest.mark.slow
def test_a_signal_in_the_first_moments_is_not_lost(tmp_path: Path, warm: dict[str, str]) -> None:
    for delay in range(0, 200, 20):
        words, environment = [*GBVIS, *MANY], environment_of(warm)  # seconds of work: 0 would be a lost signal
        with subprocess.Popen(
            words, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as call:
            time.sleep(delay / 1000)
            call.send_signal(signal.SIGINT)
            _, err = call.communicate(timeout=60)
        is_too_early = b"KeyboardInterrupt" in err and b"gbvis/cli/" not in err  # Python has not come to our code
        assert call.returncode in (130, -signal.SIGINT, 1 if is_too_early else 130), delay


def test_a_command_keeps_its_exit_code_and_its_words(tmp_path: Path) -> None:
    done = subprocess.run([*GBVIS, "warm", "--", "sh", "-c", 'echo "$1"; exit 7', "sh", "--stop"], capture_output=True)
    assert (done.returncode, done.stdout) == (7, b"--stop\n")
    done = subprocess.run([*GBVIS, "warm", "--", str(tmp_path / "nothing")], capture_output=True, text=True)
    assert done.returncode == 2 and "error: cannot run" in done.stderr and "hint: " in done.stderr


@pytest.mark.slow
def test_a_shell_s_worker_ends_when_idle(runtime: Path) -> None:
    environment = environment_of({}, XDG_RUNTIME_DIR=str(runtime), SHELL="/usr/bin/fish")
    said = subprocess.run([*GBVIS, "warm", "--idle", "0.5s"], capture_output=True, text=True, env=environment)
    assert said.stdout.startswith("set -gx GBVIS_WARM ")
    (folder,) = runtime.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    wait_until(lambda: not list(runtime.iterdir()))


def test_without_a_worker_there_is_none_to_stop() -> None:
    done = subprocess.run([*GBVIS, "warm", "--stop"], capture_output=True, text=True)
    assert done.returncode == 2 and "GBVIS_WARM is not set" in done.stderr
