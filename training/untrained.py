"""Networks that have learned nothing, to be compared with trained ones: random ones, and shuffled ones."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from train import make_network

from gbvis.networks.network import Network
from gbvis.networks.weights.safetensors_file import write_safetensors
from gbvis.steps.networks import Networks, WeightsRequest

Untrain = Callable[[Network, int], Network]
"""Returns a network that has learned nothing, given a trained one and a seed."""


def randomise(network: Network, seed: int) -> Network:
    """Return a sample network of the same stream as training begins with: random weights, norms that change nothing."""
    torch.manual_seed(seed)
    return Network(make_network(network.info.modality), network.info, network.kind)


def shuffle(network: Network, seed: int) -> Network:
    """Return the network with the same numbers in every tensor, in random order; the network given stays as it is."""
    random = torch.Generator().manual_seed(seed)
    module = copy.deepcopy(network.module)
    for tensor in module.state_dict().values():
        order = torch.randperm(tensor.numel(), generator=random)
        tensor.copy_(tensor.flatten()[order].reshape(tensor.shape))
    return Network(module, network.info, network.kind)


def write_untrained(untrain: Untrain, weights: Path, seed: int, path: Path) -> Path:
    """Write every network of a weights file, untrained, into a weights file that is not there yet; return its path."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = Networks(WeightsRequest((weights,)))
        networks = [untrain(opened.load(modality, is_used=False), seed) for modality in opened.infos]
        unfinished = path.with_suffix(".partial")
        write_safetensors(unfinished, networks, {"source": {"name": weights.name, "sha256": networks[0].info.sha256}})
        unfinished.replace(path)
    return path
