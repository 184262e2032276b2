"""Who waits for a lock is told for whom."""

import os
import platform
import re
from datetime import datetime
from pathlib import Path

import pytest
from filelock import FileLock

from gbvis.atomic_file import locked


class Waited(Exception):
    """Ends the waiting."""


def wait_for(path: Path) -> str:
    """Return what is said while somebody else has the lock."""

    def wait(holder: str) -> None:
        raise Waited(holder)

    with pytest.raises(Waited) as said, locked(path, wait):
        pass
    return str(said.value)


def test_the_holder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "work.lock"
    before = datetime.now().replace(microsecond=0)
    with locked(path, pytest.fail):
        said = wait_for(path)
    match = re.fullmatch(r"process (\d+) on (\S+), since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", said)
    assert match and int(match[1]) == os.getpid() and match[2] == platform.node()
    assert before <= datetime.fromisoformat(match[3]) <= datetime.now()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"12\n", b"12 host now\n", b"\xff\xfe", b"1 h 2026-01-01 00:00:00 \x1b[31m", b"9" * 5000]
)
def test_nonsense_about_the_holder_is_not_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "work.lock"
    (tmp_path / "work.lock.holder").write_bytes(content)
    with FileLock(path):
        assert wait_for(path) == "another process"
