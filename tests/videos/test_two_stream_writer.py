"""What `extract` writes stays in the data set, whatever lies there already."""

import shutil
from pathlib import Path

import pytest

from conftest import Call

EXTRACT = ["extract", "clip.mp4", "-o", "data", "--flow-algorithm", "dis"]
PARTS = ["jpegs_256", "tvl1_flow/u", "tvl1_flow/v"]


@pytest.fixture
def outside(tmp_path: Path, video_file: Path) -> Path:
    """A folder that nothing may be written into, beside a video."""
    shutil.copy(video_file, tmp_path / "clip.mp4")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/frame000001.jpg").write_text("mine")
    return tmp_path / "outside"


def is_untouched(outside: Path) -> bool:
    mine = outside / "frame000001.jpg"
    return [*outside.rglob("*")] == [mine] and mine.read_text() == "mine"


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


@pytest.mark.parametrize("part", ["jpegs_256", "x_jpegs_256", "tvl1_flow", "tvl1_flow/u", "tvl1_flow/v", "extracted"])
def test_no_part_may_lead_out(call: Call, outside: Path, tmp_path: Path, part: str) -> None:
    link(tmp_path / "data" / part, outside)
    call(*EXTRACT).check_error(2, f"data/{part}", "leads out of data", str(outside), "-o")
    assert is_untouched(outside)


def test_a_part_may_lead_elsewhere_in_the_data_set(call: Call, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "data/disk").mkdir(parents=True)
    (tmp_path / "data/jpegs_256").symlink_to("disk")
    (tmp_path / "link").symlink_to("data")
    done = call(*EXTRACT[:3], "link", "-m", "rgb")
    assert done.code == 0, done.err
    assert len([*(tmp_path / "data/disk/clip").iterdir()]) == 12


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_video_that_is_a_link_is_left_alone_without_force(
    call: Call, outside: Path, tmp_path: Path, part: str, is_dangling: bool
) -> None:
    link(tmp_path / "data" / part / "clip", tmp_path / "nowhere" if is_dangling else outside)
    call(*EXTRACT).check_error(1, "clip is there already")
    for _ in range(2):
        done = call(*EXTRACT, "--force")
        assert done.code == 0, done.err
    assert is_untouched(outside) and not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "data" / part / "clip").is_symlink()
    assert not [path for path in (tmp_path / "data").rglob("*") if path.name.startswith(".")]
    assert "there already" in call(*EXTRACT).out


def test_a_whole_video_moved_away_behind_a_link_is_read_and_never_mended(
    call: Call, outside: Path, tmp_path: Path
) -> None:
    assert call(*EXTRACT).code == 0
    (tmp_path / "data/jpegs_256/clip").rename(tmp_path / "moved")
    link(tmp_path / "data/jpegs_256/clip", tmp_path / "moved")
    assert "there already" in call(*EXTRACT).out
    (tmp_path / "moved/frame000003.jpg").unlink()
    call(*EXTRACT).check_error(1, "clip is there already")
    assert len([*(tmp_path / "moved").iterdir()]) == 11
    assert call(*EXTRACT, "--force").code == 0
    assert len([*(tmp_path / "moved").iterdir()]) == 11


@pytest.mark.parametrize("part", PARTS)
def test_half_a_video_that_is_a_link_is_begun_anew(call: Call, outside: Path, tmp_path: Path, part: str) -> None:
    """As an interrupted call leaves it, and somebody has put links in the place of all that has a name to foresee."""
    assert call(*EXTRACT).code == 0
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for stream in ("rgb", "flow"):
        record = tmp_path / f"data/extracted/clip.{stream}.json"
        recipe = record.read_text()
        record.rename(record.with_suffix(".pending"))
        link(record.with_name(f".{record.name}.unfinished"), victim)
        link(record.with_name(f".clip.{stream}.pending.unfinished"), victim)
        assert '"recipe"' in recipe
    link(tmp_path / "data/tvl1_flow/u/.clip.bin.unfinished", victim)
    for folder in PARTS:
        place = tmp_path / "data" / folder
        (place / "clip").rename(place / ".clip.partial")
        lost = place / ".clip.partial/frame000004.jpg"
        lost.unlink()
        link(lost.with_name("unfinished-3.jpg"), victim)
        link(place / ".clip.removed", outside)
    shutil.rmtree(tmp_path / "data" / part / ".clip.partial")
    link(tmp_path / "data" / part / ".clip.partial", outside)
    done = call(*EXTRACT)
    assert done.code == 0, done.err
    assert is_untouched(outside) and victim.read_text() == "mine"
    assert [len([*(tmp_path / "data" / folder / "clip").iterdir()]) for folder in PARTS] == [12, 11, 11]


@pytest.mark.parametrize("target", ["nowhere.jpg", "frame000004.jpg"])
def test_a_frame_whose_link_leads_nowhere_is_written_again(
    call: Call, outside: Path, tmp_path: Path, target: str
) -> None:
    assert call(*EXTRACT).code == 0
    frame = tmp_path / "data/jpegs_256/clip/frame000004.jpg"
    content = frame.read_bytes()
    frame.unlink()
    frame.symlink_to(target)
    assert "written" in call(*EXTRACT).out
    assert not frame.is_symlink() and frame.read_bytes() == content


def test_the_lock_may_be_a_link(call: Call, outside: Path, tmp_path: Path) -> None:
    link(tmp_path / "data/extracted/clip.lock", outside / "frame000001.jpg")
    call(*EXTRACT).check_error(1, "cannot write clip.mp4 into data")
    assert is_untouched(outside)


def test_a_name_without_room_for_what_is_named_after_it(call: Call, outside: Path, tmp_path: Path) -> None:
    for name in ("n" * 230, "n" * 231, "ü" * 117, "clip.bin"):
        shutil.copy(tmp_path / "clip.mp4", tmp_path / f"{name}.mp4")
    assert call(*EXTRACT).code == 0
    files = sorted((tmp_path / "data").rglob("*"))
    for name in ("n" * 231, "ü" * 117):
        call("extract", f"{name}.mp4", *EXTRACT[2:]).check_error(1, "no name as long as")
    call("extract", "clip.bin.mp4", *EXTRACT[2:], "--force").check_error(1, "no flow of a video named 'clip.bin'")
    assert sorted((tmp_path / "data").rglob("*")) == files
    assert call("extract", "clip.bin.mp4", *EXTRACT[2:], "-m", "rgb").code == 0
    assert call("extract", f"{'n' * 230}.mp4", *EXTRACT[2:]).code == 0


def kill_before(call: Call, monkeypatch: pytest.MonkeyPatch, video: Path, ending: str, *options: str) -> None:
    """Extract, and interrupt it where a folder with that ending gets its name."""
    original = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial") and str(target).endswith(ending):
            raise KeyboardInterrupt
        return original(path, target)

    with monkeypatch.context() as context:
        context.setattr(Path, "rename", rename)
        assert call("extract", video, "-o", "data", *options).code == 130


def test_u_and_v_of_two_algorithms_are_never_taken_for_whole(
    call: Call, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["extract", video_file, "-o", "data", "--flow-algorithm"]
    assert call(*words, "farneback").code == 0
    kill_before(call, monkeypatch, video_file, "v/moving-disc", "--flow-algorithm", "dis", "--force")
    call(*words, "farneback").check_error(1, "made in another way", "--force")
    assert call(*words, "dis").code == 0
    mixed = {path: path.read_bytes() for path in (tmp_path / "data/tvl1_flow").rglob("*.jpg")}
    assert call(*words, "dis", "--force").code == 0
    assert mixed == {path: path.read_bytes() for path in (tmp_path / "data/tvl1_flow").rglob("*.jpg")}


def test_nothing_is_left_over_of_a_forced_call_that_was_killed(
    call: Call, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["extract", video_file, "-o", "data", "-m", "rgb"]
    assert call(*words).code == 0
    monkeypatch.setattr(
        "gbvis.videos.two_stream_writer.TwoStreamWriter.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert call(*words, "--force").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert '"cached": true' in call(*words, "--json").out
    assert not list((tmp_path / "data").rglob("*.partial")) and not list((tmp_path / "data").rglob("*.pending"))
