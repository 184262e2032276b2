"""The Python API: what `import gbvis` gives. A call checks its arguments at once, and computes while you iterate."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.attribution.checks import parse_checks
from gbvis.attribution.checks.check import Check
from gbvis.attribution.method import Method
from gbvis.attribution.methods import parse_methods
from gbvis.figures.style import Style
from gbvis.networks.input_format import InputFormat
from gbvis.progress import Failure, Progress
from gbvis.steps import check as check_step
from gbvis.steps import explain as explain_step
from gbvis.steps import predict as predict_step
from gbvis.steps import render as render_step
from gbvis.steps import report as report_step
from gbvis.steps.arguments import (
    Labels,
    Names,
    Paths,
    Videos,
    as_path,
    as_tuple,
    make_clips,
    make_entries,
    make_weights,
)
from gbvis.steps.check import CheckedRun, CheckRequest
from gbvis.steps.engines import check_device, find_engine
from gbvis.steps.explain import ExplainedRun, ExplainRequest
from gbvis.steps.predict import Prediction, PredictRequest
from gbvis.steps.render import RenderedFile, RenderRequest
from gbvis.steps.report import ReportPlace, ReportRequest, WrittenReport
from gbvis.steps.selection import Selection
from gbvis.steps.store import merge as merge_step
from gbvis.steps.store.merge import MergedGroup, MergeRequest
from gbvis.steps.streams import FlowRequest
from gbvis.store import Store
from gbvis.videos.shard import read_shard

if TYPE_CHECKING:
    from gbvis.networks.network import Network


def explain(
    videos: Videos,
    weights: "Paths | Network",
    *,
    endpoints: Names = (),
    labels: Labels = (),
    filters: int | Iterable[int] = (),
    top_filters: int | None = None,
    methods: str | Method | Iterable[str | Method] = "guided-backprop",
    allow_unguided: bool = False,
    store: str | Path = "gbvis.zarr",
    dataset: str | Path | None = None,
    modality: str | None = None,
    frames: int | None = None,
    clips: int | str = 1,
    start: int | str | None = None,
    stride: int = 1,
    flow: FlowRequest | None = None,
    class_names: str | Path | None = None,
    checkpoint_format: str | None = None,
    state: str | None = None,
    inputs: InputFormat | Mapping[str, InputFormat] | None = None,
    device: str = "auto",
    precision: str = "float32",
    force: bool = False,
    shard: str | None = None,
    devices: str | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Iterator[ExplainedRun | Failure]:
    """Explain videos: return an iterator over the runs, each yielded as soon as it is in the store.

    Args:
        videos: One video or several: paths, names in `dataset`, `sample:CLASS-SEED`, or `Video` objects.
        weights: One checkpoint file or several, at most one network per stream. `sample` means the networks that come
            with gbvis. Or a network that `load_network` returned.
        endpoints: Where the gradients start: `Conv3d_1` ... `FC`, `SOFTMAX`, or `all`. By default the class
            probabilities.
        labels: Classes, by index or name. By default the predicted class.
        filters: Filters or features at endpoints without classes. By default the first.
        top_filters: Explain this many of the most active filters instead.
        methods: Methods, or their names as `--method` takes them.
        allow_unguided: Use methods with a rule for ReLUs on networks with other activations too; runs keep which.
        store: The store for the results: a path or an fsspec URL.
        dataset: The two-stream data set in which names are looked up.
        modality: `rgb` or `flow`, to use one stream only.
        frames: Frames per clip. By default the network's own number.
        clips: How many clips, spread over the video; `all` covers it.
        start: Where the first clip starts: a frame, counted from 0, or seconds such as `2.5s`.
        stride: 2 takes every second frame, and so on.
        flow: How flow is computed.
        class_names: A file of class names, one per line.
        checkpoint_format: The checkpoint format, where the file does not show it.
        state: Which network of a file that holds several, by its key.
        inputs: What the network's input is like, where it is not its format's; with two streams, by stream.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `float32`, `tf32` or `bfloat16`.
        force: Compute again what is already there.
        shard: Which part of the videos to take, as `--shard` takes it: `3/8` or `auto`. By default all.
        devices: Where workers share the videos, as `--devices` takes it: `all`, `cuda:0,cuda:1`, `cpu:4x2`. By default
            this process does it all, on `device`.
        engine: `ray` runs the workers on a Ray cluster.
        progress: An object that is told how far the work is.

    Yields:
        A run, or a `Failure` for a video that could not be done.

    Raises:
        UsageError: The call itself is wrong. Raised before the first result.
        StoreUnavailable: The store is full, read-only or out of reach.
    """
    check_device(device, engine, devices)
    request = ExplainRequest(
        videos=make_entries(videos),
        weights=replace(
            make_weights(weights, modality, device, precision, class_names, checkpoint_format, state, inputs),
            allows_unguided=allow_unguided,
        ),
        store=store,
        dataset=as_path(dataset),
        endpoints=as_tuple(endpoints),
        labels=tuple(str(label) for label in as_tuple(labels)),
        filters=as_tuple(filters),
        top_filters=top_filters,
        clips=make_clips(frames, clips, start, stride),
        methods=parse_methods(as_tuple(methods)),
        flow=flow or FlowRequest(),
        is_forced=force,
        shard=read_shard(shard) if shard else None,
        engine=find_engine(engine, devices),
    )
    return explain_step.run(request, progress)


def check(
    videos: Videos,
    weights: "Paths | Network",
    *,
    tests: str | Check | Iterable[str | Check] = "all",
    seed: int = 0,
    masks: str | Path | None = None,
    endpoints: Names = (),
    labels: Labels = (),
    filters: int | Iterable[int] = (),
    top_filters: int | None = None,
    methods: str | Method | Iterable[str | Method] = "guided-backprop",
    allow_unguided: bool = False,
    store: str | Path = "gbvis.zarr",
    dataset: str | Path | None = None,
    modality: str | None = None,
    frames: int | None = None,
    clips: int | str = 1,
    start: int | str | None = None,
    stride: int = 1,
    flow: FlowRequest | None = None,
    class_names: str | Path | None = None,
    checkpoint_format: str | None = None,
    state: str | None = None,
    inputs: InputFormat | Mapping[str, InputFormat] | None = None,
    device: str = "auto",
    precision: str = "float32",
    force: bool = False,
    progress: Progress | None = None,
) -> Iterator[CheckedRun | Failure]:
    """Test attributions: return an iterator over what tests find, each yielded as soon as it is in the store.

    What `explain` takes too means the same here; attributions that are not in the store are computed and kept.

    Args:
        videos: One video or several.
        weights: One checkpoint file or several, or a network.
        tests: Tests, or their names as `--test` takes them. By default all that apply.
        seed: Decides all that is random.
        masks: Where the object is: `mover`, `motion`, or a path. By default the mover of samples.
        endpoints: Where the attributions start.
        labels: Classes, by index or name.
        filters: Filters or features at endpoints without classes.
        top_filters: Take this many of the most active filters instead.
        methods: Methods, or their names as `--method` takes them.
        allow_unguided: Use methods with a rule for ReLUs on networks with other activations too; runs keep which.
        store: The store for the results: a path or an fsspec URL.
        dataset: The two-stream data set in which names are looked up.
        modality: `rgb` or `flow`, to use one stream only.
        frames: Frames per clip.
        clips: How many clips; a test's number is the mean over them.
        start: Where the first clip starts.
        stride: 2 takes every second frame, and so on.
        flow: How flow is computed.
        class_names: A file of class names, one per line.
        checkpoint_format: The checkpoint format, where the file does not show it.
        state: Which network of a file that holds several, by its key.
        inputs: What the network's input is like, where it is not its format's.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `float32`, `tf32` or `bfloat16`.
        force: Run tests again whose results are already there.
        progress: An object that is told how far the work is.

    Yields:
        What one test finds of one run, or a `Failure`.

    Raises:
        UsageError: The call itself is wrong. Raised before the first result.
        StoreUnavailable: The store is full, read-only or out of reach.
    """
    explained = ExplainRequest(
        videos=make_entries(videos),
        weights=replace(
            make_weights(weights, modality, device, precision, class_names, checkpoint_format, state, inputs),
            allows_unguided=allow_unguided,
        ),
        store=store,
        dataset=as_path(dataset),
        endpoints=as_tuple(endpoints),
        labels=tuple(str(label) for label in as_tuple(labels)),
        filters=as_tuple(filters),
        top_filters=top_filters,
        clips=make_clips(frames, clips, start, stride),
        methods=parse_methods(as_tuple(methods)),
        flow=flow or FlowRequest(),
    )
    where = None if masks is None else str(masks)
    return check_step.run(CheckRequest(explained, parse_checks(as_tuple(tests)), seed, where, force), progress)


def predict(
    videos: Videos,
    weights: "Paths | Network",
    *,
    top: int = 5,
    dataset: str | Path | None = None,
    modality: str | None = None,
    frames: int | None = None,
    clips: int | str = 10,
    start: int | str | None = None,
    stride: int = 1,
    flow: FlowRequest | None = None,
    class_names: str | Path | None = None,
    checkpoint_format: str | None = None,
    state: str | None = None,
    inputs: InputFormat | Mapping[str, InputFormat] | None = None,
    device: str = "auto",
    precision: str = "float32",
    store: str | Path = "gbvis.zarr",
    shard: str | None = None,
    devices: str | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Prediction | Failure]:
    """Predict classes: return an iterator over a prediction per video and stream, and one of both streams fused.

    Args:
        videos: One video or several: paths, names in `dataset`, `sample:CLASS-SEED`, or `Video` objects.
        weights: One checkpoint file or several, at most one network per stream; or a network.
        top: How many classes a prediction lists.
        dataset: The two-stream data set in which names are looked up.
        modality: `rgb` or `flow`, to use one stream only.
        frames: Frames per clip. By default the network's own number.
        clips: How many clips, spread over the video; `all` covers it. Scores are the mean over them.
        start: Where the first clip starts: a frame, counted from 0, or seconds such as `2.5s`.
        stride: 2 takes every second frame, and so on.
        flow: How flow is computed.
        class_names: A file of class names, one per line.
        checkpoint_format: The checkpoint format, where the file does not show it.
        state: Which network of a file that holds several, by its key.
        inputs: What the network's input is like, where it is not its format's; with two streams, by stream.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `float32`, `tf32` or `bfloat16`.
        store: The store for computed flow; nothing else is kept there.
        shard: Which part of the videos to take, as `--shard` takes it: `3/8` or `auto`. By default all.
        devices: As in `explain`.
        engine: As in `explain`.
        progress: An object that is told how far the work is.

    Yields:
        A prediction, or a `Failure` for a video that could not be done.

    Raises:
        UsageError: The call itself is wrong. Raised before the first result.
    """
    check_device(device, engine, devices)
    request = PredictRequest(
        videos=make_entries(videos),
        weights=make_weights(weights, modality, device, precision, class_names, checkpoint_format, state, inputs),
        dataset=as_path(dataset),
        clips=make_clips(frames, clips, start, stride),
        top=top,
        flow=flow or FlowRequest(),
        store=store,
        shard=read_shard(shard) if shard else None,
        engine=find_engine(engine, devices),
    )
    return predict_step.run(request, progress)


def render(
    store: str | Path = "gbvis.zarr",
    videos: str | Iterable[str] = (),
    *,
    output: str | Path | None = None,
    formats: Names = (),
    selection: Selection | None = None,
    style: Style | None = None,
    dataset: str | Path | None = None,
    class_names: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Iterator[RenderedFile | Failure]:
    """Draw pictures of a store's runs: return an iterator over the files, each yielded as soon as it is written.

    Args:
        store: A path or an fsspec URL.
        videos: Names or paths. By default every video in the store.
        output: A file, whose suffix gives the format, or a folder. By default the current folder.
        formats: Formats of the files in a folder: `gif`, `mp4`, `webp`, `apng`, `png`.
        selection: Which runs.
        style: The layout and look of pictures.
        dataset: A two-stream data set where the overlay looks for videos that have moved.
        class_names: A file of class names, used instead of those in the store.
        force: Overwrite files.
        progress: An object that is told how far the work is.

    Yields:
        A file, or a `Failure` for a picture that could not be drawn.

    Raises:
        UsageError: The call itself is wrong. Raised before the first result.
        NothingFound: There is no store.
    """
    request = RenderRequest(
        store=store,
        videos=as_tuple(videos),
        selection=selection or Selection(),
        output=as_path(output),
        formats=as_tuple(formats),
        style=style or Style(),
        dataset=as_path(dataset),
        labels=as_path(class_names),
        is_forced=force,
    )
    return render_step.run(request, progress)


def report(
    store: str | Path = "gbvis.zarr",
    videos: str | Iterable[str] = (),
    *,
    output: str | Path = "report.html",
    selection: Selection | None = None,
    style: Style | None = None,
    pages: bool = False,
    dataset: str | Path | None = None,
    class_names: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Iterator[WrittenReport | Failure]:
    """Write runs of a store into one HTML file: return an iterator over what it lacks, and then the report.

    Args:
        store: A path or an fsspec URL.
        videos: Names or paths. By default every video in the store.
        output: The file.
        selection: Which runs.
        style: How they look at first; what is of pictures alone, such as a layout, changes nothing.
        pages: Write a list of all runs, and a folder beside it with files of at most 50 MB.
        dataset: A two-stream data set where the overlay looks for videos that have moved.
        class_names: A file of class names, used instead of those in the store.
        force: Overwrite files, and write more than 50 MB into one.
        progress: An object that is told how far the work is.

    Yields:
        A `Failure` for each video without runs and each run that is damaged, then the report.

    Raises:
        UsageError: The call itself is wrong. Raised before the first result.
        NothingFound: There is no store.
    """
    request = ReportRequest(
        store=store,
        place=ReportPlace(Path(output), force, pages),
        videos=as_tuple(videos),
        selection=selection or Selection(),
        style=style or Style(),
        dataset=as_path(dataset),
        labels=as_path(class_names),
    )
    return report_step.run(request, progress)


def open_store(location: str | Path = "gbvis.zarr") -> Store:
    """Open a store; `store.runs()` yields the runs in it.

    Raises:
        NothingFound: There is none.
        UsageError: What is there is not a store, or has another format version.
    """
    return Store.open(location)


def merge_stores(
    stores: Paths, output: str | Path, *, progress: Progress | None = None
) -> Iterator[MergedGroup | Failure]:
    """Join stores by copying what is not in the output yet: return an iterator over the groups, copied one by one.

    Args:
        stores: Paths or fsspec URLs of the stores; nothing of them is changed.
        output: The store that is to hold all of it; it may be there, and be one of them.
        progress: An object that is told how far the work is.

    Yields:
        A group, once it is in the output, or a `Failure` for one that is damaged.

    Raises:
        NothingFound: There is no store in one of the places.
        UsageError: What is there is not a store, or has another format version.
        StoreUnavailable: The output is full, read-only or out of reach.
    """
    return merge_step.run(MergeRequest(as_tuple(stores), output), progress)
