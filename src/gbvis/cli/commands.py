"""The commands: what was typed becomes a request, what comes back is shown."""

from pathlib import Path
from typing import Annotated

import typer

from gbvis import __version__
from gbvis.cli import format as showing
from gbvis.cli import options
from gbvis.cli.console import Screen
from gbvis.cli.parse import (
    read_explained_endpoints,
    read_flow,
    read_folder,
    read_selection,
    read_style,
    read_videos,
    read_weights,
)
from gbvis.cli.store_commands import store_app

# Steps are imported by the command that needs them, so that `--help` is quick and only `explain` and `predict` pay
# for torch.

app = typer.Typer(
    name="gbvis",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(store_app, name="store")


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
    flow_algorithm: options.FlowAlgorithm = None,
    flow_jpeg: options.FlowJpeg = False,
    flow_mean_subtract: options.FlowMeanSubtract = False,
    meansub: options.Meansub = False,
    videos_from: options.VideosFrom = None,
    labels: options.LabelsFile = None,
    family: options.CheckpointFormat = None,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    store: options.StorePath = "gbvis.zarr",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Print the classes that each stream sees, and both streams fused."""
    from gbvis.steps import predict as step
    from gbvis.steps.networks import WeightsRequest
    from gbvis.videos.clip_request import read_clip_request

    request = step.PredictRequest(
        videos=read_videos(videos, videos_from, is_from_one=False),
        weights=WeightsRequest(read_weights(weights), modality, device, precision, labels, family),
        dataset=dataset,
        clips=read_clip_request(frames, clips, start, stride),
        top=top,
        flow=read_flow(flow_algorithm, flow_jpeg, flow_mean_subtract, meansub),
        store=store,
    )
    screen = Screen(as_json, quiet, verbose)
    return showing.show_all(screen, step.run(request, screen), showing.show_prediction)


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
    flow_algorithm: options.FlowAlgorithm = None,
    flow_jpeg: options.FlowJpeg = False,
    flow_mean_subtract: options.FlowMeanSubtract = False,
    meansub: options.Meansub = False,
    videos_from: options.VideosFrom = None,
    labels_from_one: options.LabelsFromOne = False,
    method: options.Method = "guided-backprop",
    labels: options.LabelsFile = None,
    family: options.CheckpointFormat = None,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    store: options.StorePath = "gbvis.zarr",
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Put gradients into the store; what is there already is not done again."""
    from gbvis.steps import explain as step
    from gbvis.steps.networks import WeightsRequest
    from gbvis.videos.clip_request import read_clip_request

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
        flow=read_flow(flow_algorithm, flow_jpeg, flow_mean_subtract, meansub),
        is_forced=force,
    )
    screen = Screen(as_json, quiet, verbose)
    return showing.show_all(screen, step.run(request, screen), showing.show_run)


@app.command()
def render(
    videos: options.RenderedVideos = None,
    output: options.Output = None,
    formats: options.Formats = None,
    layout: options.LayoutName = None,
    panels: options.Panels = "frame,gradient,positive,negative",
    flow: options.FlowChannels = "both",
    flow_colors: options.FlowColors = "grey",
    scale: options.Scale = "clip",
    percentile: options.Percentile = 99.5,
    colors: options.Colors = "maps",
    rate: options.Rate = 5.0,
    loops: options.Loops = "forever",
    size: options.Size = None,
    font: options.Font = None,
    dataset: options.Dataset = None,
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
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Make GIF, MP4, WebP, APNG or PNG from the store: no weights, and no video but for the overlay."""
    from gbvis.steps import render as step

    selection = read_selection(
        modality, endpoint, label, filters, frames, clips, method, precision, weights, flow_algorithm
    )
    request = step.RenderRequest(
        store=store,
        videos=tuple(videos or ()),
        selection=selection,
        output=output,
        formats=tuple(formats or ()),
        layout=layout,
        style=read_style(panels, flow, flow_colors, scale, percentile, colors, rate, loops, size, font),
        dataset=dataset,
        is_forced=force,
    )
    screen = Screen(as_json, quiet)
    if request.is_table:
        return showing.show_all(screen, step.tabulate(request), showing.show_table)
    return showing.show_all(screen, step.run(request, screen), showing.show_picture)


@app.command()
def extract(
    output: options.ExtractedDataset,
    videos: options.ExtractedVideos = None,
    modality: options.Modality = None,
    flow_algorithm: options.ExtractedAlgorithm = "tvl1",
    lossless: options.Lossless = False,
    videos_from: options.VideosFrom = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Write whole videos as a two-stream data set, frames and flow; what is there already is not done again."""
    from gbvis.steps import extract as step

    request = step.ExtractRequest(
        videos=read_videos(videos, videos_from, is_from_one=False),
        output=read_folder(output),
        modality=modality,
        algorithm=flow_algorithm,
        is_lossless=lossless,
        is_forced=force,
    )
    screen = Screen(as_json, quiet, verbose)
    return showing.show_all(screen, step.run(request, screen), showing.show_extracted)


@app.command()
def inspect_shapes(
    weights: options.Weights = None,
    depth: options.Depth = None,
    modality: options.Modality = None,
    classes: options.Classes = 101,
    frames: options.Frames = None,
    family: options.CheckpointFormat = None,
    as_json: options.Json = False,
) -> int:
    """Print every endpoint: the names that work, its shape, its targets, its receptive field."""
    from gbvis.steps import inspect_shapes as step
    from gbvis.steps.networks import WeightsRequest

    opened = WeightsRequest(read_weights(weights), modality, family=family)
    request = step.InspectRequest(opened, depth, classes, frames)
    return showing.show_all(Screen(as_json), step.run(request), showing.show_shapes)


@app.command()
def convert_weights(
    source: options.Source,
    output: options.ConvertedFile,
    labels: options.LabelsFile = None,
    family: options.CheckpointFormat = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> int:
    """Write any checkpoint as .safetensors: no pickle, and all that is known of it inside."""
    from gbvis.steps import convert_weights as step
    from gbvis.steps.networks import WeightsRequest

    request = step.ConvertRequest(WeightsRequest(read_weights([source]), labels=labels, family=family), output, force)
    return showing.show_all(Screen(as_json), step.run(request), showing.show_conversion)


@app.command()
def demo(
    folder: options.DemoFolder = Path("gbvis-demo"),
    samples: options.Samples = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Draw a few videos and do all of this with them and the networks that come with gbvis."""
    from gbvis.steps import demo as step

    request = step.DemoRequest(folder, tuple(dict.fromkeys(samples or step.SAMPLES)))
    screen = Screen(as_json, quiet)
    showing.show_all(screen, step.run(request), showing.show_sample)
    for words in step.make_commands(request):
        showing.show_command(screen, words)
        code = app([*words, *(["--json"] if as_json else []), *(["-q"] if quiet else [])], standalone_mode=False)
        if code:
            return int(code)
    showing.show_next(screen, request.pictures, step.suggest_commands(request))
    return 0
