"""Checkpoints that claim what no machine can hold."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

from cases import Call
from hostile import hostile


def _weights_call(whole: Path, folder: Path, name: str, content: bytes) -> Call:
    (folder / name).write_bytes(content)
    return Call(("predict", str(whole / "dataset/jpegs_256/good"), "-w", name, "--json"))


@hostile
def safetensors_that_claim_exabytes(whole: Path, folder: Path) -> Call:
    """A header whose tensor ends at 2^60."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 58], "data_offsets": [0, 1 << 60]}}).encode()
    return _weights_call(whole, folder, "w.safetensors", len(header).to_bytes(8, "little") + header)


@hostile
def safetensors_nested_deeply(whole: Path, folder: Path) -> Call:
    """A header of brackets."""
    header = b'{"a":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"
    return _weights_call(whole, folder, "w.safetensors", len(header).to_bytes(8, "little") + header)


@hostile
def safetensors_whose_description_is_nested_deeply(whole: Path, folder: Path) -> Call:
    """Gbvis's own part of the header, of brackets."""
    header = json.dumps({"__metadata__": {"gbvis": "[" * 100_000 + "]" * 100_000}}).encode()
    return _weights_call(whole, folder, "w.safetensors", len(header).to_bytes(8, "little") + header)


@hostile
def pickle_with_a_far_memo(whole: Path, folder: Path) -> Call:
    """`put` at place 200 million: Python would lay out a memo of 3 GB."""
    return _weights_call(whole, folder, "w.pkl", b"\x80\x02}r\xff\xff\xff\x0b.")


@hostile
def pickle_of_a_long_text(whole: Path, folder: Path) -> Call:
    """A text that claims 2^62 bytes."""
    return _weights_call(whole, folder, "w.pkl", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"abc.")


@hostile
def pickle_of_a_long_number(whole: Path, folder: Path) -> Call:
    """A decimal number of ten million digits."""
    return _weights_call(whole, folder, "w.pkl", b"\x80\x02L" + b"9" * 10_000_000 + b"L\n.")


@hostile
def pickle_that_doubles(whole: Path, folder: Path) -> Call:
    """Tuples of the same tuple twice, sixty deep: comparing or printing them would take for ever."""
    body = b"".join(b"h\x00h\x00\x86q\x00" for _ in range(60))
    return _weights_call(whole, folder, "w.pkl", b"\x80\x02)q\x00" + body + b".")


@hostile
def checkpoint_whose_entries_overlap(whole: Path, folder: Path) -> Call:
    """Every entry of a zip file's directory is the same ten megabytes: as tensors they would be ten gigabytes."""
    import torch

    torch.save({f"t{number}": torch.zeros(1) + number for number in range(1000)}, folder / "small.pth")
    with zipfile.ZipFile(folder / "small.pth") as small:
        pickled = small.read("small/data.pkl").replace(b"K\x01t", b"J\x00\x00\x28\x00t")
        names = [name for name in small.namelist() if "/data/" in name]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("small/data.pkl", pickled)
        archive.writestr("small/version", b"3\n")
        archive.writestr(names[0], bytes(10 << 20))
        first = archive.getinfo(names[0])
        for name in names[1:]:
            twin = zipfile.ZipInfo(name)
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = first.file_size
            archive.filelist.append(twin)
            archive.NameToInfo[name] = twin
    return _weights_call(whole, folder, "w.pth", file.getvalue())


@hostile
def checkpoint_whose_keys_are_tuples_of_tuples(whole: Path, folder: Path) -> Call:
    """What `torch.load` reads, and no mapping."""
    return _weights_call(whole, folder, "w.pth", pickle.dumps({(1, (2,)): 3}, protocol=2))


@hostile
def checkpoint_of_names_with_many_dots(whole: Path, folder: Path) -> Call:
    """Words before the network's own names, a hundred thousand of them."""
    import torch

    torch.save({"a." * 100_000 + str(number): torch.zeros(1) for number in range(20)}, folder / "w.pth")
    return _weights_call(whole, folder, "w.pth", (folder / "w.pth").read_bytes())


@hostile
def checkpoint_of_states_in_each_other(whole: Path, folder: Path) -> Call:
    """Thirty levels, each twice in the one above: a billion ways to one state dict."""
    import torch

    tree: object = {"a.weight": torch.zeros(1)}
    for _ in range(30):
        tree = {"left": tree, "right": tree}
    torch.save(tree, folder / "w.pth")
    return _weights_call(whole, folder, "w.pth", (folder / "w.pth").read_bytes())


@hostile
def checkpoint_beside_a_number_of_a_terabyte(whole: Path, folder: Path) -> Call:
    """A NumPy scalar whose type claims 2^40 bytes: nothing is made of it."""
    body = b"\x80\x02}X\x01\x00\x00\x00acnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n"
    body += b"X\x0e\x00\x00\x00V1099511627776K\x00K\x01\x87RX\x01\x00\x00\x00x\x86Rs."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("w/data.pkl", body)
        archive.writestr("w/version", b"3\n")
    return _weights_call(whole, folder, "w.pth", file.getvalue())
