"""Identity: what a network is by its content, whatever file holds it and whatever that file says of itself."""

import hashlib
import json

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gbvis.networks.info import WeightsInfo


def identify(module: nn.Module, info: WeightsInfo) -> str:
    """Return the SHA-256 of all that decides what a network computes of its input, hexadecimal.

    It covers the kind of network and its details (padding, epsilons), and every tensor as the module has it: name,
    shape, type and bytes. A copy of the file, a copy wrapped in other names and a converted file have one identity. How
    frames become the input is not in it: that stands in every recipe beside it.

    Args:
        module: The plain network.
        info: What its kind knows of it.
    """
    about = {"kind": info.kind, "modality": info.modality, "interleaved": info.interleaved, "details": info.details}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=list).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(_bytes_of(tensor))
    return digest.hexdigest()


def _bytes_of(tensor: Tensor) -> memoryview:
    """Return a tensor's numbers as bytes, row by row; a copy only where they are in another order in memory."""
    numbers: NDArray[np.uint8] = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    return numbers.data
