"""Copies groups from one store into another; every byte is checked on the way, and what is there already stays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbvis.atomic_file import write_durably
from gbvis.store.flow import StoredFlow
from gbvis.store.group import StoredGroup, encode_attributes, read_attributes
from gbvis.store.storage import METADATA, Storage

LOST = "its metadata is missing or damaged"


@dataclass(frozen=True)
class Copied:
    """What became of a group that was to be copied.

    Attributes:
        is_new: Whether it was written, or a part of it, or would be: the other store did not have it.
        differs: Whether the other store has something else of that key, which stays.
        damage: What is wrong with the group, which is then not copied; or with pairs of flow, which are then left out.
    """

    is_new: bool = False
    differs: bool = False
    damage: str | None = None


def copy_group(kind: type[StoredGroup], origin: Storage, key: str, target: Storage, is_dry: bool = False) -> Copied:
    """Copy a run, clips or an estimate, unless a sound group of its key is there already.

    Args:
        kind: The group's class.
        origin: The files of the store that has it.
        key: Its key in both stores.
        target: The files of the other store.
        is_dry: Write nothing, and look at no chunks.

    Raises:
        StoreError: It cannot be written.
    """
    attributes = read_attributes(origin, key) or {}
    source = kind.of_attributes(origin, key, attributes)
    there = kind.find(target, key, is_thorough=not is_dry)
    if source is None or there or is_dry:
        damage = LOST if source is None else StoredGroup.find_damage(source, is_thorough=False) if is_dry else None
        differs = there is not None and source is not None and there.arrays != source.arrays
        return Copied(is_new=not there and not damage, differs=differs, damage=damage)
    with target.explaining_refusal(), target.staging() as staged:
        chunks = {name: range(array.chunk_count) for name, array in source.arrays.items()}
        damage = _stage(source, attributes, staged, chunks)
        if damage is None:
            target.publish(staged, key, lambda: kind.find(target, key) is not None)
    return Copied(is_new=damage is None, damage=damage)


def copy_flow(origin: Storage, key: str, target: Storage, is_dry: bool = False) -> Copied:
    """Copy the pairs of estimated motion that are not there yet; as `copy_group`."""
    attributes = read_attributes(origin, key) or {}
    source = StoredFlow.of_attributes(origin, key, attributes)
    damage = source.find_damage(is_thorough=False) if source else LOST
    if source is None or damage:
        return Copied(damage=damage)
    pairs = source.list_there()
    there = StoredFlow.find(target, key, is_thorough=False)
    shared = pairs & there.list_there() if there else set()
    if is_dry:
        return Copied(is_new=there is None or bool(pairs - shared))
    if there is None:
        with target.explaining_refusal(), target.staging() as staged:
            _stage(source, attributes, staged, {"motion": sorted(pairs)})
            target.publish(staged, key, lambda: StoredFlow.find(target, key, is_thorough=False) is not None)
    return _add_pairs(source, StoredFlow.read(target, key), pairs, shared, is_new=there is None)


def _add_pairs(source: StoredFlow, there: StoredFlow | None, pairs: set[int], shared: set[int], is_new: bool) -> Copied:
    """Copy those of a flow's pairs that the other flow does not have, or has torn; compare those that both have."""
    if there is None:
        return Copied(damage="something else removes it where it is copied to")
    differs, torn = False, []
    for pair in sorted((pairs - there.list_there()) | shared):
        chunk = source.read_bytes("motion", pair)
        kept = there.read_bytes("motion", pair) if pair in shared else None
        if chunk is None:
            torn.append(pair)
        elif kept is None:
            there.write_bytes(pair, chunk, is_lasting=True)
            is_new = True
        differs |= None not in (chunk, kept) and chunk != kept
    left_out = f"the checksum of pair {torn[0]} does not fit: {len(torn)} of its pairs are left out" if torn else None
    return Copied(is_new, differs, left_out)


def _stage(
    source: StoredGroup, attributes: dict[str, Any], staged: Path, chunks: Mapping[str, Iterable[int]]
) -> str | None:
    """Write a group with those of its chunks that are sound, and return what is wrong; None where nothing is."""
    damage = None
    for name, array in source.arrays.items():
        if source.storage.read_json(f"{source.key}/{name}") != array.metadata():
            damage = f"the metadata of {name} is missing or broken"
        (staged / name).mkdir()
        write_durably(staged / name / METADATA, array.encode_metadata())
        for number in chunks[name]:
            chunk = source.read_bytes(name, number)
            if chunk is None:
                damage = damage or f"the checksum of chunk {number} of {name} does not fit"
            else:
                write_durably(staged / name / array.chunk_name(number), chunk)
    write_durably(staged / METADATA, encode_attributes(attributes))
    return damage
