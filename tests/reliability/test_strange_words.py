"""Names, lists, labels and options that nobody would think of: words and an exit code, never a traceback."""

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gbvis.attribution.methods import parse_method
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.cli.app import run_command_line
from gbvis.cli.parse import parse_videos
from gbvis.errors import GbvisError
from gbvis.networks.labels import find_class, read_labels
from gbvis.videos.clip_request import read_clip_request
from gbvis.videos.locate import find_video
from gbvis.videos.video_list import ListRequest, read_video_list

pytestmark = pytest.mark.slow

quick = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

numbers = st.one_of(
    st.integers().map(str), st.floats().map(str), st.sampled_from(["9" * 5000, "-0", "1e400", "\u0663", "0x1", "1_0"])
)
"""What looks like a number, and may be none; `\u0663` is the Arabic three."""

typed_words = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    st.text(alphabet=st.sampled_from("a/.:-=[]%*~\n\r\t\udcff\x1b\u2028 0\u0661"), max_size=40),
    st.text(alphabet=st.sampled_from("a\u00e9"), min_size=200, max_size=300),
    numbers,
)
"""What a shell can hand over; bytes that are no UTF-8 come as the surrogates from U+DC80 on."""

words = st.one_of(typed_words, st.text(alphabet=st.sampled_from("a/.\0\ud800\n"), max_size=20))
"""What stands in a file too."""

contents = st.one_of(st.binary(), words.map(lambda text: text.encode("utf-8", "surrogatepass")))


names = st.text(alphabet=st.characters(exclude_categories=("Z", "Cc", "Cs")), min_size=1)


def call(*arguments: str) -> tuple[int, str]:
    """Return the exit code of a command line and what it says on stderr."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = run_command_line(list(arguments))
    return code, err.getvalue()


def check(code: int, err: str) -> None:
    assert code in (0, 1, 2)
    assert "Traceback" not in err
    assert code == 0 or ("error: " in err and "hint: " in err)


EXPLAIN = [
    "--start",
    "--clips",
    "--stride",
    "-n",
    "--label",
    "-f",
    "--top-filters",
    "-e",
    "-m",
    "--device",
    "--precision",
    "--method",
    "--checkpoint-format",
    "--labels",
    "-w",
    "-d",
    "--flow-algorithm",
    "--videos-from",
]
RENDER = [
    "--percentile",
    "--fps",
    "--size",
    "--loop",
    "--panels",
    "--scale",
    "--colors",
    "--flow",
    "--layout",
    "--format",
    "--font",
    "--clips",
    "--label",
    "-f",
    "-n",
    "-e",
    "-m",
    "-o",
    "-d",
    "-w",
    "--method",
    "--labels",
]


@pytest.mark.parametrize("option", EXPLAIN)
@settings(quick, max_examples=8)
@given(word=typed_words)
def test_options_of_explain(option: str, word: str, folder: Path) -> None:
    check(
        *call("explain", "no-such-video", "-w", "sample", "-m", "rgb", "--store", str(folder / "s"), f"{option}={word}")
    )


@pytest.mark.parametrize("option", RENDER)
@settings(quick, max_examples=8)
@given(word=typed_words)
def test_options_of_render(option: str, word: str, folder: Path) -> None:
    check(*call("render", "--store", str(folder / "s"), f"{option}={word}"))


@quick
@given(
    typed=st.lists(typed_words, max_size=4), command=st.sampled_from(["predict", "explain", "extract", "render", ""])
)
def test_any_command_line(typed: list[str], command: str, folder: Path) -> None:
    check(*call(*([command] if command else []), *typed))


@quick
@given(word=typed_words)
def test_methods(word: str) -> None:
    for typed in (word, f"guided-backprop:{word}"):
        with contextlib.suppress(GbvisError):
            assert isinstance(parse_method(typed), GuidedBackprop)


@quick
@given(name=words)
def test_names_of_videos(name: str, dataset: Path) -> None:
    for modality in ("rgb", "flow"):
        for folder in (None, dataset):
            with contextlib.suppress(GbvisError):
                find_video(name, modality, folder)


@quick
@given(content=contents)
def test_lists_of_videos(content: bytes, folder: Path) -> None:
    (folder / "list.txt").write_bytes(content)
    for is_from_one in (False, True):
        with contextlib.suppress(GbvisError):
            assert parse_videos(None, ListRequest(str(folder / "list.txt"), is_from_one))


@quick
@given(
    name=st.text(alphabet=st.characters(exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cs")), min_size=1),
    label=st.integers(0, 999),
)
def test_a_line_of_a_list_is_a_name_and_a_label(name: str, label: int) -> None:
    (entry,) = read_video_list(f"{name}.avi {label}\n", ListRequest())
    assert (entry.location, entry.class_index) == (f"{name}.avi", label)


@quick
@given(content=contents, label=words)
def test_class_names(content: bytes, label: str, folder: Path) -> None:
    (folder / "labels.txt").write_bytes(content)
    with contextlib.suppress(GbvisError):
        labels = read_labels(folder / "labels.txt")
        assert labels and all(labels)
        assert 0 <= find_class(label, labels, len(labels)) < len(labels)


@quick
@given(frames=st.none() | st.integers(1, 4096), clips=words, start=st.none() | words, stride=st.integers(1))
def test_clips(frames: int | None, clips: str, start: str | None, stride: int) -> None:
    with contextlib.suppress(GbvisError):
        assert read_clip_request(frames, clips, start, stride).stride == stride


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
