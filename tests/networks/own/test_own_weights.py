"""Weights of a file for a user's own network: what only the network can judge is taken, what breaks it is refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.own.weights import load_weights


class Masked(nn.Module):
    """A network with buffers of every sort."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4)
        self.register_buffer("mask", torch.full((2, 2), float("-inf")).triu(1))
        self.register_buffer("used", torch.tensor([True, False]))
        self.register_buffer("order", torch.tensor([1, 0]))


def load(state: dict[str, Tensor], folder: Path) -> nn.Module:
    torch.save(state, folder / "w.pth")
    network = Masked()
    load_weights(network, "nets.py:build", folder / "w.pth", None, "rgb")
    return network


def test_masks_are_taken_as_they_are(tmp_path: Path) -> None:
    state = Masked().state_dict() | {"used": torch.tensor([False, True]), "order": torch.tensor([0, 1])}
    found = load(state, tmp_path).state_dict()
    assert found.keys() == state.keys() and all(torch.equal(found[name], one) for name, one in state.items())


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("norm.running_var", torch.tensor([1.0, 1, -1, 1]), "has negative variances in norm.running_var"),
        ("mask", torch.full((2, 2), float("nan")), "has NaN or infinity in mask"),
        ("stem.bias", torch.zeros(4, dtype=torch.complex64), "something else than plain numbers in stem.bias"),
    ],
)
def test_what_cannot_be_computed_with_is_refused(name: str, tensor: Tensor, words: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=words):
        load(Masked().state_dict() | {name: tensor}, tmp_path)
