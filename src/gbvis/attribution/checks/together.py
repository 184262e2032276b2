"""Several attributions of one clip by another network or of another input, of as few forward passes as there can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gbvis.attribution.iterative import IterativeMethod

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Values
    from gbvis.attribution.checks.check import Subject
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.networks.network import Network
    from gbvis.videos.clip import Inputs


def attribute_all(
    laboratory: Laboratory, subjects: Sequence[Subject], network: Network | None = None, inputs: Inputs | None = None
) -> list[Values]:
    """Return what each subject's method finds for its target: each float32 (channel, time, y, x).

    Methods of one pass share the forward pass; see `Laboratory.attribute` otherwise.

    Args:
        laboratory: The clip.
        subjects: Of the clip.
        network: Another one than the laboratory's.
        inputs: One normalised input, instead of the clip.
    """
    quick = [number for number, subject in enumerate(subjects) if not isinstance(subject.method, IterativeMethod)]
    found = _go_back(laboratory, [subjects[number] for number in quick], network, inputs) if quick else []
    by_number = dict(zip(quick, found, strict=True))
    for number, subject in enumerate(subjects):
        if number not in by_number:
            by_number[number] = laboratory.attribute(subject.method, subject.target, inputs, network)
    return [by_number[number] for number in range(len(subjects))]


def _go_back(
    laboratory: Laboratory, subjects: Sequence[Subject], network: Network | None, inputs: Inputs | None
) -> list[Values]:
    """Return what methods of one pass find; each target's methods go back one after the other."""
    from gbvis.attribution.graph import Graph

    targets = [subject.target for subject in subjects]
    order = sorted(range(len(subjects)), key=lambda number: targets.index(targets[number]))
    layers = {layer for subject in subjects for layer in subject.method.layers}
    values: dict[int, Values] = {}
    with Graph(network or laboratory.network, inputs or [laboratory.clip.pixels]) as graph:
        graph.forward({target.endpoint for target in targets}, layers=layers)
        for number in order:
            subject = subjects[number]
            (pending,) = graph.attribute(subject.method, [subject.target], is_last=number == order[-1])
            (found,) = pending.result()
            values[number] = laboratory.align(found)
    return [values[number] for number in range(len(subjects))]
