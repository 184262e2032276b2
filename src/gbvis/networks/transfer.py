"""Copies between arrays and a device. Copies to and from a CUDA GPU run on streams of their own.

The memory on this side is pinned, or the copies would wait in secret (CUDA C++ Best Practices Guide, part 10.1).
"""

from functools import cache
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def copy_to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array as a tensor on `device`; what is computed with it starts when it is there."""
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    computing, upload = torch.cuda.current_stream(device), _stream(device, "upload")
    with torch.cuda.stream(upload):
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    computing.wait_stream(upload)
    tensor.record_stream(computing)
    return tensor


class HostCopy:
    """A tensor that is being copied from a device to an array, while both sides go on computing."""

    def __init__(self, tensor: Tensor) -> None:
        tensor = tensor.detach()
        self._arrival: torch.cuda.Event | None = None
        if tensor.device.type != "cuda":
            self._host = tensor.cpu()
            return
        download = _stream(tensor.device, "download")
        download.wait_stream(torch.cuda.current_stream(tensor.device))
        with torch.cuda.stream(download):
            self._host = torch.empty_like(tensor, device="cpu", pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._arrival = download.record_event()
        tensor.record_stream(download)

    def array(self) -> NDArray[Any]:
        """Return the array, of the tensor's shape and type; waits until it is there."""
        if self._arrival is not None:
            self._arrival.synchronize()
        array: NDArray[Any] = self._host.numpy()
        return array


@cache
def _stream(device: torch.device, way: str) -> torch.cuda.Stream:
    """Return the stream on which copies go this way."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
