"""The commands, and the one place where errors become words on a screen and an exit code."""

import errno
import io
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gbvis import __version__
from gbvis.cli import options
from gbvis.cli.reading import read_explained_endpoints, read_style, read_videos, read_weights
from gbvis.cli.screen import Screen, print_error
from gbvis.cli.showing import show_all, show_conversion, show_picture, show_prediction, show_run, show_shapes
from gbvis.errors import GbvisError

# Steps are imported by the command that needs them, so that `--help` is quick and only `explain` and `predict` pay
# for torch.

app = typer.Typer(
    name="gbvis",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

INTERRUPTED = 130
TERMINATED = 143


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"gbvis {__version__}")
        raise typer.Exit


@app.callback()
def gbvis(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Show what a video network looked at: guided back-propagation through R(2+1)D, RGB and optical flow."""


@app.command()
def predict(
    videos: options.Videos = None,
    weights: options.Weights = None,
    modality: options.Modality = None,
    dataset: options.Dataset = None,
    top: options.Top = 5,
    frames: options.Frames = None,
    clips: options.Clips = "10",
    start: options.Start = None,
    stride: options.Stride = 1,
    videos_from: options.VideosFrom = None,
    labels: options.LabelsFile = None,
    family: options.Family = None,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Print the classes that each stream sees, and both streams fused."""
    from gbvis.clip_request import read_clip_request
    from gbvis.steps import predict as step
    from gbvis.steps.opening_weights import WeightsRequest

    request = step.PredictRequest(
        videos=read_videos(videos, videos_from, is_from_one=False),
        weights=WeightsRequest(read_weights(weights), modality, device, precision, labels, family),
        dataset=dataset,
        clips=read_clip_request(frames, clips, start, stride),
        top=top,
    )
    screen = Screen(as_json, quiet, verbose)
    return show_all(screen, step.run(request, screen), show_prediction)


@app.command()
def explain(
    videos: options.Videos = None,
    weights: options.Weights = None,
    endpoint: options.Endpoints = None,
    label: options.Labels = None,
    filters: options.Filters = None,
    top_filters: options.TopFilters = None,
    modality: options.Modality = None,
    dataset: options.Dataset = None,
    frames: options.Frames = None,
    clips: options.Clips = "1",
    start: options.Start = None,
    stride: options.Stride = 1,
    videos_from: options.VideosFrom = None,
    labels_from_one: options.LabelsFromOne = False,
    method: options.Method = "guided-backprop",
    labels: options.LabelsFile = None,
    family: options.Family = None,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    store: options.StorePath = Path("gbvis.zarr"),
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Put gradients into the store; what is there already is not done again."""
    from gbvis.clip_request import read_clip_request
    from gbvis.steps import explain as step
    from gbvis.steps.opening_weights import WeightsRequest

    request = step.ExplainRequest(
        videos=read_videos(videos, videos_from, labels_from_one),
        weights=WeightsRequest(read_weights(weights), modality, device, precision, labels, family),
        store=store,
        dataset=dataset,
        endpoints=read_explained_endpoints(endpoint, label, filters, top_filters),
        labels=tuple(label or ()),
        filters=tuple(filters or (0,)),
        top_filters=top_filters,
        clips=read_clip_request(frames, clips, start, stride),
        method=method,
        is_forced=force,
    )
    screen = Screen(as_json, quiet, verbose)
    return show_all(screen, step.run(request, screen), show_run)


@app.command()
def render(
    videos: options.RenderedVideos = None,
    output: options.Output = None,
    formats: options.Formats = None,
    layout: options.LayoutName = None,
    panels: options.Panels = "frame,gradient,positive,negative",
    flow: options.FlowChannels = "both",
    scale: options.Scale = "clip",
    rate: options.Rate = 5.0,
    size: options.Size = None,
    modality: options.Modality = None,
    endpoint: options.Endpoints = None,
    label: options.Labels = None,
    filters: options.Filters = None,
    frames: options.Frames = None,
    clips: options.SelectedClips = None,
    method: options.SelectedMethod = None,
    precision: options.SelectedPrecision = None,
    weights: options.SelectedWeights = None,
    store: options.StorePath = Path("gbvis.zarr"),
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Make GIF, MP4, WebP or PNG from the store alone: no weights, no video."""
    from gbvis.endpoint import read_endpoints
    from gbvis.steps import render as step
    from gbvis.steps.selecting_runs import Selection

    selection = Selection(
        modality=modality,
        endpoints=tuple(read_endpoints(endpoint or [])),
        labels=tuple(label or ()),
        filters=tuple(filters or ()),
        frames=frames,
        clips=clips,
        method=method,
        precision=precision,
        weights=read_weights(weights),
    )
    request = step.RenderRequest(
        store=store,
        videos=tuple(videos or ()),
        selection=selection,
        output=output,
        formats=tuple(formats or ()),
        layout=layout,
        style=read_style(panels, flow, scale, rate, size),
        is_forced=force,
    )
    screen = Screen(as_json, quiet)
    return show_all(screen, step.run(request, screen), show_picture)


@app.command()
def inspect_shapes(
    weights: options.Weights = None,
    depth: options.Depth = None,
    modality: options.Modality = None,
    classes: options.Classes = 101,
    frames: options.Frames = None,
    family: options.Family = None,
    as_json: options.Json = False,
) -> int:
    """Print every endpoint: the names that work, its shape, its targets, its receptive field."""
    from gbvis.steps import inspect_shapes as step
    from gbvis.steps.opening_weights import WeightsRequest

    opened = WeightsRequest(read_weights(weights), modality, family=family)
    request = step.InspectRequest(opened, depth, classes, frames)
    return show_all(Screen(as_json), step.run(request), show_shapes)


@app.command()
def convert_weights(
    source: options.Source,
    output: options.ConvertedFile,
    labels: options.LabelsFile = None,
    family: options.Family = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> int:
    """Write any checkpoint as .safetensors: no pickle, and all that is known of it inside."""
    from gbvis.steps import convert_weights as step
    from gbvis.steps.opening_weights import WeightsRequest

    request = step.ConvertRequest(WeightsRequest((source,), labels=labels, family=family), output, force)
    return show_all(Screen(as_json), step.run(request), show_conversion)


def main() -> None:
    """Run the command line and leave with its exit code; an orderly end by SIGTERM cleans up like Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is shown as escapes
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(run_command_line())


def run_command_line(arguments: list[str] | None = None) -> int:
    """Return the exit code of a call with these arguments, those of the process where None."""
    try:
        code = app(arguments, prog_name="gbvis", standalone_mode=False)
    except (GbvisError, TyperException) as error:
        if os.environ.get("GBVIS_DEBUG"):
            traceback.print_exc()
        if isinstance(error, GbvisError):
            print_error(error.problem, error.hint)
            return error.exit_code
        message = error.format_message().rstrip(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gbvis"
        print_error(message[:1].lower() + message[1:], f"{command} --help lists what there is")
        return 2
    except OSError as error:
        if error.filename:
            print_error(f"cannot use {error.filename}: {error.strerror}", "check the path and its permissions")
            return 2
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        if error.errno == errno.ENOSPC:  # else `gbvis ... | head` has what it wants
            print_error("cannot write to standard output: no space left", "what was computed is in the store")
        return 1
    if code == INTERRUPTED:
        print_error("interrupted", "what was finished is kept; repeat the call to do the rest")
    return int(code or 0)
