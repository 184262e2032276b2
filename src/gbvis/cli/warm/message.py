"""Messages between a call and the front of the worker: a length, JSON, and open files beside it.

Imported by every call under `gbvis warm`: nothing heavy here.
"""

import array
import json
import os
import socket
from typing import Any

MOST_FILES = 250
"""Open files that one message may carry; Linux lets 253 pass."""

_LARGEST = 16 << 20
"""Bytes of a message; arguments and environment together have 2 MB on Linux."""


def send(connection: socket.socket, message: Any, files: list[int] | None = None) -> None:
    """Send plain data, and files.

    Raises:
        OSError: The other side has gone.
    """
    data = json.dumps(message).encode()
    head = len(data).to_bytes(4, "little")
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    sent = connection.sendmsg([head, data], rights)
    if sent < len(head) + len(data):  # where all is sent, the other side may have answered and gone
        connection.sendall((head + data)[sent:])


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """Return the next message and its files; None where the other side has gone.

    Raises:
        OSError: It cannot be read.
    """
    space = socket.CMSG_SPACE(MOST_FILES * array.array("i").itemsize)
    head, rights, _, _ = connection.recvmsg(4, space)
    files = array.array("i")
    for level, kind, data in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(data[: len(data) // files.itemsize * files.itemsize])
    try:
        head += _receive_bytes(connection, 4 - len(head)) if head else b""
        size = int.from_bytes(head, "little")
        data = _receive_bytes(connection, size) if 0 < size <= _LARGEST else b""
        return (json.loads(data) if data else None), list(files)
    except (OSError, ValueError):
        for file in files:
            os.close(file)
        raise


def list_files() -> list[int]:
    """Return the numbers of this process's open files; one of them is of the list itself, and closed.

    Raises:
        OSError: The system does not list them.
    """
    return [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208 pathlib takes 10 ms to import


def close_others(kept: set[int]) -> None:
    """Close all files but some.

    Raises:
        OSError: The system does not list them.
    """
    for number in list_files():
        if number not in kept:
            try:
                os.close(number)
            except OSError:
                continue


def _receive_bytes(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionResetError("the other side has gone")
        data += part
    return bytes(data)
