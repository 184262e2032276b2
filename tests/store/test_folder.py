"""A store in a folder, where processes end or meet at the worst moment."""

import errno
import shutil
import sys
from pathlib import Path

import pytest

from gbvis.store import local as folder
from gbvis.store.keys import UNFINISHED
from gbvis.store.local import LocalStorage
from gbvis.store.metadata import write_group
from gbvis.store.storage import METADATA, encode_group

KEY = "video/rgb/FC/1"


@pytest.fixture
def place(tmp_path: Path) -> LocalStorage:
    """A store that holds one group, whose file says `old`."""
    place = LocalStorage(tmp_path / "store")
    place.replace(METADATA, encode_group({}))
    publish(place, "old")
    return place


def publish(place: LocalStorage, text: str) -> None:
    """Publish a group whose file says a text, in place of what is there."""
    with place.staging() as staged:
        (staged / METADATA).write_bytes(encode_group({}))
        (staged / "file").write_text(text)
        place.publish(staged, KEY, lambda: False)


def list_unfinished(place: LocalStorage) -> list[Path]:
    """Return the workshops of a store."""
    return list(Path(place.location).glob(f"{UNFINISHED}*"))


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, OSError])
def test_a_replacement_that_is_interrupted_between_two_renames_loses_nothing(
    place: LocalStorage, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    original = LocalStorage._set_aside

    def set_aside_and_end(self: LocalStorage, staged: Path, target: Path, key: str) -> None:
        original(self, staged, target, key)
        raise end

    monkeypatch.setattr(folder, "exchange", lambda *_: False)
    monkeypatch.setattr(LocalStorage, "_set_aside", set_aside_and_end)
    with pytest.raises(end):
        publish(place, "new")
    assert place.read(f"{KEY}/file") == b"new"
    assert not list_unfinished(place)


def make_dead(place: LocalStorage, key: str) -> Path:
    """Leave what a process leaves that is killed between the two renames of a replacement."""
    workshop = Path(place.location) / f"{UNFINISHED}dead"
    shutil.copytree(Path(place.location) / KEY, workshop / "group")
    (Path(place.location) / KEY).rename(workshop / "old")
    (workshop / "target").write_text(key)
    return workshop


def test_a_replacement_is_finished_though_the_level_above_was_taken_away(place: LocalStorage) -> None:
    make_dead(place, KEY)
    shutil.rmtree(Path(place.location) / "video")
    place.sweep()
    assert place.read(f"{KEY}/file") == b"old"
    assert all(place.is_level(level) for level in ("video", "video/rgb", "video/rgb/FC"))
    assert not list_unfinished(place)


def test_what_cannot_be_finished_now_is_kept(place: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = make_dead(place, KEY)

    def refuse(self: LocalStorage, key: str) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as full:
        full.setattr(LocalStorage, "ensure_levels", refuse)
        place.sweep()
    assert (workshop / "old/file").exists()
    place.sweep()
    assert place.read(f"{KEY}/file") == b"old"


@pytest.mark.parametrize("key", ["../out", "video/../../out", "a\0b", "\udcff"])
def test_a_forged_target_leads_nowhere(place: LocalStorage, key: str) -> None:
    workshop = make_dead(place, "")
    (workshop / "target").write_bytes(key.encode("utf-8", "surrogateescape"))
    place.sweep()
    assert not (Path(place.location).parent / "out").exists()


def test_what_was_taken_away_meanwhile_is_not_half_there_again(place: LocalStorage) -> None:
    place.remove(KEY)
    with pytest.raises(FileNotFoundError):
        write_group(place, KEY, {})
    assert not (Path(place.location) / "video").exists()
    assert not list_unfinished(place)


def test_a_level_that_is_taken_away_again_and_again_holds_nobody_up(
    place: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = LocalStorage.ensure_levels, [3]

    def ensure_and_take_away(self: LocalStorage, key: str) -> None:
        original(self, key)
        if left[0]:
            left[0] -= 1
            shutil.rmtree(Path(self.location) / "video")

    monkeypatch.setattr(LocalStorage, "ensure_levels", ensure_and_take_away)
    publish(place, "new")
    assert place.read(f"{KEY}/file") == b"new"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot exchange two names")
def test_a_group_that_is_replaced_is_never_absent(place: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(LocalStorage, "_set_aside")
    publish(place, "new")
    assert place.read(f"{KEY}/file") == b"new"
    assert not list_unfinished(place)


def test_a_replacement_without_an_exchange(place: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "exchange", lambda *_: False)
    publish(place, "new")
    assert place.read(f"{KEY}/file") == b"new"
    assert not list_unfinished(place)
