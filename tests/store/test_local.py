"""A store in a folder, where processes end or meet at the worst moment."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gbvis.atomic_file import identify_host
from gbvis.store import local
from gbvis.store.group import write_attributes
from gbvis.store.keys import UNFINISHED
from gbvis.store.local import LocalStorage
from gbvis.store.storage import LARGEST_METADATA, METADATA, Unreachable, encode_group

KEY = "video/rgb/FC/1"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """A store that holds one group, whose file says `old`."""
    storage = LocalStorage(tmp_path / "store")
    storage.replace(METADATA, encode_group({}))
    publish(storage, "old")
    return storage


def publish(storage: LocalStorage, text: str) -> None:
    """Publish a group whose file says a text, in place of what is there."""
    with storage.staging() as staged:
        (staged / METADATA).write_bytes(encode_group({}))
        (staged / "file").write_text(text)
        storage.publish(staged, KEY, lambda: False)


def list_unfinished(storage: LocalStorage) -> list[Path]:
    """Return the staging folders of a store."""
    return list(Path(storage.location).glob(f"{UNFINISHED}*"))


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError(errno.ENOSPC, "no space left on device")])
def test_a_replacement_that_ends_between_its_two_renames_leaves_nothing(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, end: BaseException | type[BaseException]
) -> None:
    """Neither half of it; what it was to be is made again by whoever looks for it."""
    original = Path.rename

    def rename_and_end(self: Path, target: Path) -> Path:
        if target.name.startswith("old-"):
            original(self, target)
            raise end
        return original(self, target)

    monkeypatch.setattr(local.Path, "rename", rename_and_end)
    with pytest.raises((KeyboardInterrupt, OSError)):
        publish(storage, "new")
    monkeypatch.undo()
    assert not (Path(storage.location) / KEY).exists() and not list_unfinished(storage)
    publish(storage, "newer")
    assert storage.read(f"{KEY}/file") == b"newer"


def test_a_replacement(storage: LocalStorage) -> None:
    publish(storage, "new")
    assert storage.read(f"{KEY}/file") == b"new"
    assert not list_unfinished(storage)


def test_what_a_killed_process_left_is_swept_with_all_that_is_in_it(storage: LocalStorage) -> None:
    """Also where it was killed between the two renames: with the old group, and the new one."""
    left = Path(storage.location) / f"{UNFINISHED}{'-'.join(identify_host())}-dead"
    shutil.copytree(Path(storage.location) / KEY, left / "staged")
    (Path(storage.location) / KEY).rename(left / "old-0")
    assert storage.list_unfinished() == [left.name]
    storage.sweep()
    assert not left.exists() and not (Path(storage.location) / KEY).exists()


def test_what_another_host_makes_is_swept_after_a_day_alone(storage: LocalStorage) -> None:
    """Its locks may not be seen from here; that one looks at its lock, again and again, does not make it younger."""
    left = Path(storage.location) / f"{UNFINISHED}01234567-89abcdef-other"
    (left / "staged/gradient").mkdir(parents=True)
    chunk = left / "staged/gradient/c.0"
    chunk.write_bytes(b"one")
    yesterday = time.time() - 25 * 3600
    for path in (left / "staged/gradient", left / "staged", left):
        os.utime(path, (yesterday, yesterday))
    storage.sweep()
    assert chunk.exists()
    os.utime(chunk, (yesterday, yesterday))
    assert storage.list_unfinished() == [left.name]
    os.utime(left, (yesterday, yesterday))  # where it had no lock, looking for it made one
    storage.sweep()
    assert not left.exists()


def test_what_another_host_left_goes_at_once_when_it_is_told_to(storage: LocalStorage) -> None:
    left = Path(storage.location) / f"{UNFINISHED}01234567-89abcdef-other"
    left.mkdir()
    storage.discard(left.name)
    assert not left.exists()


def test_a_file_that_another_host_removed_while_it_was_read_is_not_there(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NFS says it."""

    def read(*_: object, **__: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("builtins.open", read)
    with pytest.raises(OSError, match="Stale") as error:
        storage.read(f"{KEY}/file")
    assert not isinstance(error.value, Unreachable)


def test_what_was_removed_meanwhile_is_not_half_there_again(storage: LocalStorage) -> None:
    storage.remove(KEY)
    with pytest.raises(FileNotFoundError):
        write_attributes(storage, KEY, {})
    assert not (Path(storage.location) / "video").exists()
    assert not list_unfinished(storage)


def test_a_level_that_is_removed_again_and_again_holds_nobody_up(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = LocalStorage.ensure_levels, [3]

    def ensure_and_remove(self: LocalStorage, key: str) -> None:
        original(self, key)
        if left[0]:
            left[0] -= 1
            shutil.rmtree(Path(self.location) / "video")

    monkeypatch.setattr(LocalStorage, "ensure_levels", ensure_and_remove)
    publish(storage, "new")
    assert storage.read(f"{KEY}/file") == b"new"


@pytest.mark.parametrize("key", ["../outside", "video/../../outside", "link/group", "video/loop/group"])
def test_no_key_leads_out_of_the_store(storage: LocalStorage, tmp_path: Path, key: str) -> None:
    (tmp_path / "outside/group").mkdir(parents=True)
    (tmp_path / "outside/group/file").write_text("mine")
    (Path(storage.location) / "link").symlink_to(tmp_path / "outside")
    (Path(storage.location) / "video/loop").symlink_to("loop")
    before = sorted(tmp_path.rglob("*"))
    assert storage.list_folders(key) == [] and storage.read_json(key) == {}
    uses: list[Callable[[], object]] = [
        lambda: storage.read(f"{key}/file"),
        lambda: [*storage.list_files(key)],
        lambda: storage.ensure_levels(f"{key}/group"),
        lambda: storage.replace(f"{key}/file", b"yours"),
        lambda: storage.remove(f"{key}/file"),
    ]
    for use in uses:
        with pytest.raises(OSError, match="would lead out of the store"):
            use()
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "outside/group/file").read_text() == "mine"


def test_a_link_in_the_place_of_a_group_goes_and_what_it_leads_to_stays(storage: LocalStorage, tmp_path: Path) -> None:
    group = Path(storage.location) / KEY
    for number in range(2):
        group.rename(tmp_path / f"elsewhere{number}")
        group.symlink_to(tmp_path / f"elsewhere{number}")
        assert storage.list_folders("video/rgb/FC") == [] and storage.read_json(KEY) == {}
        storage.remove(KEY) if number else publish(storage, "new")
        assert (tmp_path / f"elsewhere{number}/file").read_text() == ("new" if number else "old")
    assert not (Path(storage.location) / "video").exists() and not list_unfinished(storage)


def test_a_file_without_end_is_not_read(storage: LocalStorage) -> None:
    """Sparse, it takes no room on the disk; read, it would fill the memory."""
    with (Path(storage.location) / KEY / METADATA).open("ab") as file:
        file.truncate(1 << 40)
    assert storage.read_json(KEY) == {} and storage.is_level(KEY) is False
    with pytest.raises(FileNotFoundError):
        storage.read(f"{KEY}/{METADATA}", LARGEST_METADATA)
    with pytest.raises(FileNotFoundError):
        storage.read(f"{KEY}/file", at_most=2)
