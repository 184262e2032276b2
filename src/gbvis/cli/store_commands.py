"""The commands below `gbvis store`."""

import sys

import typer

from gbvis.cli import format_store as showing_store
from gbvis.cli import options
from gbvis.cli.console import Screen
from gbvis.cli.parse import read_selection

store_app = typer.Typer(help="See what a store holds, check it, take away what is no longer wanted.")


@store_app.command()
def ls(
    videos: options.SelectedVideos = None,
    modality: options.Modality = None,
    endpoint: options.Endpoints = None,
    label: options.Labels = None,
    filters: options.Filters = None,
    frames: options.Frames = None,
    clips: options.SelectedClips = None,
    method: options.SelectedMethod = None,
    precision: options.SelectedPrecision = None,
    weights: options.SelectedWeights = None,
    flow_algorithm: options.SelectedFlowAlgorithm = None,
    store: options.StorePath = "gbvis.zarr",
    as_json: options.Json = False,
) -> int:
    """List runs: what they are, how large, how old."""
    from gbvis.steps.store import ls as step

    selection = read_selection(
        modality, endpoint, label, filters, frames, clips, method, precision, weights, flow_algorithm
    )
    request = step.ListRequest(store, tuple(videos or ()), selection)
    return showing_store.show_runs(Screen(as_json), step.run(request))


@store_app.command()
def verify(store: options.StorePath = "gbvis.zarr", as_json: options.Json = False, quiet: options.Quiet = False) -> int:
    """Check every byte of a store against its checksums."""
    from gbvis.steps.store import verify as step

    screen = Screen(as_json, quiet)
    return showing_store.show_checks(screen, step.run(step.VerifyRequest(store), screen))


@store_app.command()
def rm(
    videos: options.SelectedVideos = None,
    modality: options.Modality = None,
    endpoint: options.Endpoints = None,
    label: options.Labels = None,
    filters: options.Filters = None,
    frames: options.Frames = None,
    clips: options.SelectedClips = None,
    method: options.SelectedMethod = None,
    precision: options.SelectedPrecision = None,
    weights: options.SelectedWeights = None,
    flow_algorithm: options.SelectedFlowAlgorithm = None,
    everything: options.Everything = False,
    unfinished: options.Unfinished = False,
    damaged: options.Damaged = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    store: options.StorePath = "gbvis.zarr",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Remove runs, and the clips, flow and cards that nothing uses any more with them."""
    from gbvis.steps.store import rm as step

    selection = read_selection(
        modality, endpoint, label, filters, frames, clips, method, precision, weights, flow_algorithm
    )
    removal = step.Removal(step.RemoveRequest(store, tuple(videos or ()), selection, everything, unfinished, damaged))
    is_asked = not (dry_run or yes) and bool(removal.entries) and sys.stdin.isatty()
    screen = Screen(as_json, quiet)
    if is_asked and not _is_confirmed(f"remove {showing_store.count_entries(removal.entries)}?"):
        screen.print("nothing was removed")
        return 1
    return showing_store.show_removal(screen, removal.run(dry_run, screen), removal.entries)


def _is_confirmed(question: str) -> bool:
    """Return whether the question is answered with yes; the end of the input, or Ctrl-C, is a no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
