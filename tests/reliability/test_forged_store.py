"""A store whose metadata makes no sense, with the right checksums: somebody wrote it so, or a fault of ours did."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Call
from gbvis.provenance import digest_of
from gbvis.store.metadata import encode_checked

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-m", "flow", "-e", "FC", "--flow-algorithm", "dis"]
DELETED = object()
STRANGE = (None, True, 5, -1, 1e300, "x", "", [], [[]], [5], {}, {"a": 1})


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of plain data."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(min(len(value), 1)):
            yield from places_in(value[name], (*path, name))


def change(value: Any, path: tuple[Any, ...], new: Any) -> None:
    """Replace the part of plain data at a path, or take it out."""
    *parents, last = path
    for name in parents:
        value = value[name]
    if new is DELETED:
        del value[last]
    else:
        value[last] = new


def read(group: Path) -> dict[str, Any]:
    attributes: dict[str, Any] = json.loads((group / "zarr.json").read_text())["attributes"]
    del attributes["checksum"]
    return attributes


@pytest.mark.parametrize("group", ["up-4/flow/FC/2-*", "up-4/flow/clips/*", "weights/*", "up-4/flow/dis-*"])
def test_every_part_of_a_groups_metadata(call: Call, tmp_path: Path, group: str) -> None:
    """Never a traceback, and never served as what it is not; the next `explain` mends what it needs."""
    assert call(*EXPLAIN).code == 0
    (folder,) = (path for path in tmp_path.glob(f"gbvis.zarr/{group}") if path.is_dir())
    whole = read(folder)
    paths = [*places_in(whole)]
    assert len(paths) > 15
    chosen = random.Random(group)
    for path, new in [(path, new) for path in paths for new in (DELETED, chosen.choice(STRANGE))]:
        attributes = json.loads(json.dumps(whole))
        change(attributes, path, new)
        if attributes == whole:
            continue
        (folder / "zarr.json").write_bytes(encode_checked(attributes))
        for words in (
            ["store", "ls"],
            ["store", "verify"],
            ["store", "rm", "--all", "--dry-run"],
            ["render", "-o", "a.csv"],
        ):
            done = call(*words, "--json")
            assert done.code in (0, 1, 2) and "Traceback" not in done.err, (path, words, done.err)
    done = call(*EXPLAIN)
    assert done.code == 0, done.err
    assert call("store", "verify").code == 0


FORGED = {
    "clips": [],
    "flow": 3,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_recipe_under_the_key_that_it_makes(call: Call, tmp_path: Path, name: str) -> None:
    """The digest fits too."""
    assert call(*EXPLAIN).code == 0
    (folder,) = tmp_path.glob("gbvis.zarr/up-4/flow/FC/2-*")
    attributes = read(folder)
    attributes["recipe"][name] = FORGED[name]
    (folder / "zarr.json").write_bytes(encode_checked(attributes))
    folder.rename(folder.with_name(f"2-guided-backprop-{digest_of(attributes['recipe'])}"))
    verified = call("store", "verify")
    assert verified.code == 1 and "2-guided-backprop" in verified.out, verified.err
    assert call("render", "-o", "a.csv").code == 1
    assert call(*EXPLAIN).code == 0


@pytest.mark.parametrize("array", ["up-4/flow/FC/2-*/value", "up-4/flow/clips/*/pixels", "up-4/flow/dis-*/motion"])
def test_arrays_that_cannot_be(call: Call, tmp_path: Path, array: str) -> None:
    """Chunks of no size, and the digest over the array's metadata fits."""
    assert call(*EXPLAIN).code == 0
    (folder,) = (tmp_path / "gbvis.zarr").glob(array)
    metadata = json.loads((folder / "zarr.json").read_text())
    metadata["chunk_grid"]["configuration"]["chunk_shape"][0] = 0
    (folder / "zarr.json").write_text(json.dumps(metadata))
    attributes = read(folder.parent)
    attributes["arrays"][folder.name]["metadata"] = digest_of(metadata)
    (folder.parent / "zarr.json").write_bytes(encode_checked(attributes))
    for words in (["store", "verify"], ["store", "ls"], ["render", "-o", "a.csv"]):
        done = call(*words)
        assert done.code in (0, 1) and "Traceback" not in done.err, done.err
    assert call("store", "verify").code == 1
    assert call(*EXPLAIN).code == 0
    assert call("store", "verify").code == 0


@pytest.mark.parametrize("lie", [{"sha256": "f" * 64}, {"modality": "../../x"}, {"depth": 34}])
def test_a_card_of_another_file(call: Call, tmp_path: Path, lie: dict[str, object]) -> None:
    """It is read from the weights again, or, where only the network itself tells, refused."""
    assert call(*EXPLAIN).code == 0
    (folder,) = (path for path in tmp_path.glob("gbvis.zarr/weights/*") if path.is_dir())
    attributes = read(folder)
    attributes["flow"] |= lie
    (folder / "zarr.json").write_bytes(encode_checked(attributes))
    done = call(*EXPLAIN, "-l", 1)
    if "depth" in lie:
        done.check_error(2, "is not what the file holds", "weights/")
    else:
        assert done.code == 0 and call("store", "verify").code == 0, done.err


def test_the_roots_version(call: Call, tmp_path: Path) -> None:
    """A digit of it that was changed is no other version: it does not fit its checksum."""
    assert call(*EXPLAIN).code == 0
    root = tmp_path / "gbvis.zarr/zarr.json"
    whole = root.read_bytes()
    root.write_bytes(whole.replace(b'"format_version": 2', b'"format_version": 3'))
    assert root.read_bytes() != whole
    call("render", "-o", "a.csv").check_error(2, "metadata of the root", "lost or damaged")
    assert "the root  root" in call("store", "verify").out
    assert "cached" in call(*EXPLAIN).out
    assert root.read_bytes() == whole
