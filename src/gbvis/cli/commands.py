"""The commands: each makes a request of its options, runs the step, and prints the results."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gbvis.attribution.checks import parse_checks
from gbvis.cli import (
    browser,
    check_options,
    format,
    format_check,
    options,
    parse,
    picture_options,
    run_list,
    submitted,
)
from gbvis.cli.command_group import SETTINGS, CommandGroup
from gbvis.cli.completion import InstallCompletion, ShowCompletion
from gbvis.cli.console import Console
from gbvis.cli.explain_request import make_explain_request
from gbvis.cli.foreseen import DryRun, print_forecast
from gbvis.cli.look import Look, ReportLook
from gbvis.cli.option_groups import unfold
from gbvis.cli.selected import Selected
from gbvis.cli.video_options import LabelledVideos, RemovedVideos, ShownVideos, Videos
from gbvis.cli.weights_options import Reading
from gbvis.errors import UsageError
from gbvis.version import __version__

# Steps are imported by the command that needs them, so that `--help` is quick and only `explain` and `predict` pay
# for torch.

app = typer.Typer(
    name="gbvis",
    cls=CommandGroup,
    add_completion=False,  # Typer's own takes half a second: `cli/start` answers
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)
store_app = typer.Typer(cls=CommandGroup, help="List, check, join and clean up what stores hold.")
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
    install_completion: InstallCompletion = None,
    show_completion: ShowCompletion = None,
) -> None:
    """Show what a video network looked at: guided back-propagation and more, through RGB and optical flow."""


@app.command()
@unfold
def predict(
    which: Videos,
    weights: options.RunningWeights,
    clips: options.ManyClips,
    flow: options.Flow,
    printing: options.VerbosePrinting,
    workers: options.Workers,
    dataset: options.Dataset = None,
    top: options.Top = 5,
    store: options.Store = "gbvis.zarr",
) -> int:
    """Print the best classes of each stream, and of both streams fused."""
    videos, shard, failed_to = which.entries(dataset), which.chosen_shard(), which.failure_list()

    from gbvis.steps import predict as step

    engine = workers.find(weights)
    request = step.PredictRequest(
        videos, weights.request(), dataset, clips.request(), top, flow.request(), store, shard, engine
    )
    console = Console(printing)
    results = step.run(request, console)
    return format.print_all(console, results, format.print_prediction, "prediction", False, failed_to)


@app.command()
@unfold
def explain(
    which: LabelledVideos,
    weights: options.RunningWeights,
    targets: options.Targets,
    clips: options.Clips,
    flow: options.Flow,
    printing: options.VerbosePrinting,
    workers: options.Workers,
    method: options.Methods = None,
    allow_unguided: options.AllowUnguided = False,
    dataset: options.Dataset = None,
    store: options.Store = "gbvis.zarr",
    force: options.Force = False,
    report: options.ExplainedReport = None,
    dry_run: DryRun = False,
) -> int:
    """Compute gradients and keep them in the store; what is there already is not computed again."""
    failed_to = which.failure_list()
    asked = make_explain_request(which, weights, targets, clips, flow, method, dataset, store, allow_unguided)

    from gbvis.steps import explain as step

    request = replace(asked, is_forced=force, engine=workers.find(weights))
    console = Console(printing)
    if dry_run:
        from gbvis.steps.explain import forecast

        return format.print_all(console, forecast.run(request, console), print_forecast, failed_to=failed_to)
    if report:
        return browser.print_and_report(console, request, report, failed_to)
    return format.print_all(console, step.run(request, console), format.print_run, "run", failed_to=failed_to)


@app.command()
@unfold
def check(
    which: LabelledVideos,
    weights: options.RunningWeights,
    targets: options.Targets,
    clips: options.Clips,
    flow: options.Flow,
    printing: options.VerbosePrinting,
    method: options.Methods = None,
    allow_unguided: options.AllowUnguided = False,
    test: options.Tests = None,
    seed: options.Seed = 0,
    masks: options.Masks = None,
    dataset: options.Dataset = None,
    store: options.Store = "gbvis.zarr",
    force: options.Force = False,
    report: options.Report = False,
) -> int:
    """Test whether attributions say anything about the network; results are kept in the store, beside the runs."""
    console = Console(printing)
    if report:
        asked = check_options.make_report_request(which, weights, targets, method, test, seed, store)
        return format_check.print_report(console, asked)
    failed_to = which.failure_list()

    from gbvis.steps import check as step

    explained = make_explain_request(which, weights, targets, clips, flow, method, dataset, store, allow_unguided)
    request = step.CheckRequest(explained, parse_checks(test or ()), seed, masks, force)
    return format.print_all(console, step.run(request, console), format_check.print_check, "test", failed_to=failed_to)


@app.command()
@unfold
def render(
    selected: Selected,
    look: Look,
    printing: options.Printing,
    at: picture_options.At = None,
    videos: ShownVideos = None,
    output: options.OutputFile = None,
    formats: options.Formats = None,
    dataset: options.Dataset = None,
    labels: options.Labels = None,
    store: options.Store = "gbvis.zarr",
    force: options.Force = False,
) -> int:
    """Make pictures and tables from the store; needs no weights, and a video only for the overlay."""
    from gbvis.steps import render as step

    request = step.RenderRequest(
        store=store,
        videos=tuple(videos or ()),
        selection=selected.selection(),
        output=output,
        formats=tuple(formats or ()),
        style=picture_options.with_call(picture_options.with_stills(look.style(), at), store, labels),
        dataset=dataset,
        labels=labels,
        is_forced=force,
    )
    console = Console(printing)
    return format.print_all(console, step.run(request, console), format.print_rendered, "file")


@app.command()
@unfold
def report(
    selected: Selected,
    look: ReportLook,
    printing: options.Printing,
    videos: ShownVideos = None,
    output: options.ReportPath = Path("report.html"),
    pages: options.Pages = False,
    opens: options.Open = False,
    dataset: options.Dataset = None,
    labels: options.Labels = None,
    store: options.Store = "gbvis.zarr",
    force: options.LargeForce = False,
) -> int:
    """Write runs of the store into one HTML file, to browse, scrub and mail."""
    from gbvis.steps import report as step

    request = step.ReportRequest(
        store=store,
        place=step.ReportPlace(output, force, pages),
        videos=tuple(videos or ()),
        selection=selected.selection(),
        style=picture_options.with_call(look.style(), store, labels),
        dataset=dataset,
        labels=labels,
    )
    console = Console(printing)
    return browser.print_reports(console, step.run(request, console), opens)


@app.command()
@unfold
def view(
    selected: Selected,
    printing: options.Printing,
    videos: ShownVideos = None,
    port: options.Port = 0,
    opens: options.Open = False,
    dataset: options.Dataset = None,
    labels: options.Labels = None,
    store: options.Store = "gbvis.zarr",
) -> int:
    """Show runs of the store in a browser of this machine, as they are asked for, until Ctrl-C is pressed."""
    from gbvis.figures.style import Style
    from gbvis.steps import view as step

    style = picture_options.with_call(Style(), store, labels)
    request = step.ViewRequest(store, tuple(videos or ()), selected.selection(), port, style, dataset, labels)
    return browser.run_viewer(Console(printing), step.open_viewer(request), opens)


@app.command()
@unfold
def extract(
    output: options.ExtractedDataset,
    which: Videos,
    printing: options.VerbosePrinting,
    modality: options.ExtractedModality = None,
    flow_algorithm: options.ExtractedAlgorithm = "tvl1",
    lossless: options.Lossless = False,
    force: options.Force = False,
) -> int:
    """Write whole videos as a two-stream data set, frames and flow; what is there already is not written again."""
    from gbvis.steps import extract as step

    folder = parse.parse_folder(output)
    shard, failed_to = which.chosen_shard(), which.failure_list()
    request = step.ExtractRequest(which.entries(), folder, modality, flow_algorithm, lossless, force, shard)
    console = Console(printing)
    return format.print_all(console, step.run(request, console), format.print_extracted, "video", failed_to=failed_to)


@app.command()
@unfold
def inspect_shapes(
    weights: options.Weights,
    depth: options.Depth = None,
    classes: options.Classes = 101,
    frames: options.Frames = None,
    as_json: options.Json = False,
) -> int:
    """Print every endpoint of a network: its names, shape, number of targets and receptive field."""
    from gbvis.steps import inspect_shapes as step

    request = step.InspectRequest(weights.request(), depth, classes, frames)
    return format.print_all(Console(options.Printing(as_json)), step.run(request), format.print_shapes)


@app.command()
@unfold
def convert_weights(
    source: options.Source,
    output: options.ConvertedFile,
    reading: Reading,
    labels: options.Labels = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> int:
    """Write any checkpoint as .safetensors: without pickle, and with all that is known of it inside."""
    from gbvis.steps import convert_weights as step
    from gbvis.steps.networks import WeightsRequest

    weights = WeightsRequest(
        parse.parse_weights([source]),
        labels=labels,
        checkpoint_format=reading.checkpoint_format,
        state=reading.state,
        inputs=reading.inputs(),
    )
    results = step.run(step.ConvertRequest(weights, output, force))
    return format.print_all(Console(options.Printing(as_json)), results, format.print_conversion)


@app.command()
@unfold
def demo(
    printing: options.Printing,
    folder: options.DemoFolder = Path("gbvis-demo"),
    samples: options.Samples = None,
) -> int:
    """Draw a few videos, then predict, explain and render them with the networks that come with gbvis."""
    from gbvis.steps import demo as step

    request = step.DemoRequest(folder, tuple(dict.fromkeys(samples or step.SAMPLES)))
    console = Console(printing)
    format.print_all(console, step.run(request), format.print_sample)
    switches = [*(["--json"] if printing.as_json else []), *(["-q"] if printing.quiet else [])]
    for words in step.make_commands(request):
        format.print_command(console, words)
        code = app([*words, *switches], standalone_mode=False)
        if code:
            return int(code)
    format.print_next(console, request, step.suggest_commands(request))
    return 0


@app.command()
def warm(
    command: options.WarmCommand = None,
    stop: options.Stop = False,
    idle: options.Idle = "10m",
) -> None:
    """Keep networks loaded while a command runs, or for a shell: every call of gbvis below it is quick."""
    if not hasattr(os, "fork"):
        raise UsageError("gbvis warm needs a system that can fork", "give all videos to one call instead")
    from gbvis.cli.warm import launch

    if command and stop:
        raise UsageError("a command and --stop", "give one of them")
    if command:
        launch.run_command(command)
    typer.echo(launch.stop_for_shell() if stop else launch.start_for_shell(parse.parse_duration(idle)))


@app.command()
@unfold
def submit(
    command: submitted.Call,
    jobs: submitted.Jobs,
    printing: options.Printing,
    wait: submitted.Wait = False,
) -> int:
    """Run a call as a job array of a cluster: each job does its shard of the videos, and goes on where it was ended."""
    request = jobs.request(command)
    submitted.check_call(app, command)

    from gbvis.steps import submit as step

    return submitted.print_jobs(Console(printing), step.run(request), command, wait)


@store_app.command()
@unfold
def ls(
    selected: Selected,
    videos: ShownVideos = None,
    store: options.Store = "gbvis.zarr",
    as_json: options.Json = False,
) -> int:
    """List the runs of a store, with their size and age."""
    from gbvis.networks.kept import list_networks
    from gbvis.steps.store import ls as step

    request = step.ListRequest(store, tuple(videos or ()), selected.selection())
    return run_list.print_runs(Console(options.Printing(as_json)), step.run(request), list_networks)


@store_app.command()
@unfold
def verify(printing: options.Printing, store: options.Store = "gbvis.zarr") -> int:
    """Check every byte of a store against its checksums."""
    from gbvis.steps.store import verify as step

    console = Console(printing)
    return format.print_checks(console, step.run(step.VerifyRequest(store), console))


@store_app.command()
@unfold
def merge(
    stores: options.MergedStores,
    output: options.MergeOutput,
    printing: options.Printing,
    dry_run: options.MergeDryRun = False,
) -> int:
    """Join stores by copying what is not in the output yet; every byte is checked on the way."""
    from gbvis.cli.merged import print_merge
    from gbvis.steps.store import merge as step

    console = Console(printing)
    return print_merge(console, step.run(step.MergeRequest(tuple(stores), output, dry_run), console), output)


@store_app.command()
@unfold
def rm(
    selected: Selected,
    printing: options.Printing,
    videos: RemovedVideos = None,
    everything: options.Everything = False,
    unfinished: options.Unfinished = False,
    damaged: options.Damaged = False,
    networks: options.PreparedNetworks = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    store: options.Store = "gbvis.zarr",
) -> int:
    """Remove runs, and the clips and flow that no other run uses. Weights' records go with --all and --unfinished."""
    from gbvis.steps.store import rm as step

    selection = selected.selection()
    removal = step.plan_removal(
        step.RemoveRequest(store, tuple(videos or ()), selection, everything, unfinished, damaged, networks)
    )
    is_asked = not (dry_run or yes) and bool(removal.entries) and sys.stdin.isatty()
    is_kept = is_asked and not _is_confirmed(f"remove {format.count_entries(removal.entries)}?")
    console = Console(printing)
    return format.print_removal(console, removal.run(dry_run or is_kept, console), removal.entries, is_kept)


def _is_confirmed(question: str) -> bool:
    """Return whether the question is answered with yes; the end of the input is a no, Ctrl-C ends the call."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from error
        return False
