"""Results in words and tables, for people; `--json` has the same as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, TypeVar

from gbvis.cli.checked import is_only_checked
from gbvis.cli.console import Console, Result, make_table, print_error
from gbvis.cli.failure_list import sum_up_reasons, write_failures
from gbvis.cli.warm import resumed
from gbvis.progress import Failure
from gbvis.shell import join_words

if TYPE_CHECKING:
    from pathlib import Path

    from gbvis.attribution.relu_count import ReluCount
    from gbvis.steps.convert_weights import ConvertedWeights
    from gbvis.steps.demo import DemoRequest, WrittenSample
    from gbvis.steps.explain import ExplainedRun
    from gbvis.steps.extract import ExtractedVideo
    from gbvis.steps.inspect_shapes import EndpointShape, NetworkShapes
    from gbvis.steps.predict import Prediction
    from gbvis.steps.render import RenderedFile
    from gbvis.steps.store.rm import RemovedGroup
    from gbvis.steps.store.verify import CheckedGroup
    from gbvis.store.inventory import Entry
    from gbvis.videos.clip import ClipFormat

_FEW = 3
"""Failures that are still to be seen above the last line."""

Shown = TypeVar("Shown", bound=Result)


def print_all(
    console: Console,
    results: Iterable[Shown | Failure],
    show: Callable[[Console, Shown], None],
    name: str = "",
    is_kept: bool = True,
    failed_to: Path | None = None,
) -> int:
    """Show results as they come and return the exit code: 1 where a video failed, else 0.

    What makes both streams of a video fail is said once.

    Args:
        console: Where to.
        results: What a step yields.
        show: Prints one.
        name: What one is called: then they are counted at the end, also where the call is interrupted.
        is_kept: Say how many of them were there already.
        failed_to: Where the list of the videos that failed is written, once the call has ended by itself.
    """
    if is_only_checked():
        return 0
    counts: Counter[str] = Counter()
    try:
        _print_each(console, results, show, counts)
    except (KeyboardInterrupt, SystemExit):
        _sum_up(console, counts, name, is_kept)
        raise
    _sum_up(console, counts, name, is_kept)
    if len(console.failures) > _FEW:
        console.sum_up_failures(sum_up_reasons(console.failures))
    if failed_to:
        count = write_failures(failed_to, console.failures)
        for one in console.failures:
            if len(one.video.splitlines()) > 1:
                console.warn(f"{one.video}: a name with a line break cannot stand in {failed_to}")
        console.sum_up_failures(
            [f"{count_of(count, 'video')} in {failed_to}: give it to --videos-from"] if count else []
        )
    return int(bool(console.failures))


def _print_each(
    console: Console,
    results: Iterable[Shown | Failure],
    show: Callable[[Console, Shown], None],
    counts: Counter[str],
) -> None:
    said: Failure | None = None
    with console:
        for result in results:
            if isinstance(result, Failure):
                counts["failed"] += result != said
                if result != said:
                    console.fail(result)
                said = result
                continue
            counts["cached" if _is_cached(result) else "done"] += 1
            if resumed.should_print(result):
                (Console.print_json if console.is_json else show)(console, result)


def _sum_up(console: Console, counts: Counter[str], name: str, is_kept: bool) -> None:
    if name:
        cached = f", {counts['cached']} cached" if is_kept else ""
        console.sum_up(f"{count_of(counts['done'], name)} done{cached}, {counts['failed']} failed")


def _is_cached(result: Result) -> bool:
    """Return whether what was asked for was there already, in the words of the step."""
    return bool(getattr(result, "is_cached", False) or getattr(result, "is_unchanged", False))


def print_run(console: Console, explained: ExplainedRun) -> None:
    """Print one line for a run."""
    run = explained.run
    label = explained.label
    name = f" {label['name']}" if label and label["name"] else ""
    value = sum(run.value) / len(run.value)
    how = "cached, nothing computed" if explained.is_cached else "computed with it"
    if explained.shared_seconds is not None:
        how = f"computed in {explained.shared_seconds:.1f} s"
    target = f"{run.endpoint.target_kind} {run.target}{name}"
    saturation = run.describe_saturation(explained.info.endpoints)
    seen = explained.prediction.describe(run.target if label else None) if explained.prediction else ""
    words = (
        explained.name or run.video,
        run.modality,
        str(run.endpoint),
        target,
        f"{value:.4g}",
        seen,
        run.recipe.short_method,
        run.describe_completeness(),
        how,
        saturation,
    )
    console.print("  ".join(filter(None, words)))
    console.say(f"  {run.address}")


def print_prediction(console: Console, prediction: Prediction) -> None:
    """Print a table of the best classes."""
    rows = [(f"{one['score']:.4f}", one["index"], one["label"] or "") for one in prediction.top]
    title = f"{prediction.name or prediction.video}  {prediction.modality}  {count_of(prediction.clips, 'clip')}"
    console.print(make_table(title, ("score", "class", "label"), rows))


def print_rendered(console: Console, rendered: RenderedFile) -> None:
    """Print one line for a picture or a table."""
    about = rendered.about
    facts = f"{about['rows']} rows" if "rows" in about else ""
    if "frames" in about:
        size = f"{about['width']}x{about['height']}"
        facts = (
            f"frame {about['frame']}, {size}" if "frame" in about else f"{count_of(about['frames'], 'frame')} of {size}"
        )
    how = "unchanged" if rendered.is_unchanged else f"{rendered.seconds:.1f} s"
    console.print("  ".join(filter(None, (str(rendered.path), facts, how))))


def print_extracted(console: Console, extracted: ExtractedVideo) -> None:
    """Print one line for a video of a data set."""
    counts = ", ".join(count_of(count, f"{name} frame") for name, count in extracted.frames.items())
    how = "there already" if extracted.is_unchanged else f"written in {extracted.seconds:.1f} s"
    console.print(f"{extracted.video}  {counts}  {how}")


def print_shapes(console: Console, shapes: NetworkShapes) -> None:
    """Print a network and a table of its endpoints."""
    _print_input(console, shapes)
    columns = ("endpoint", "also called", "shape", "targets", "one activation sees", "ReLUs guided")
    rows = [
        (
            endpoint.name,
            ", ".join(endpoint.aliases),
            _times(endpoint.shape),
            f"{endpoint.filters}",
            _describe_field(endpoint),
            f"{endpoint.relus.guided} of {endpoint.relus.total}" if endpoint.relus else "unknown",
        )
        for endpoint in shapes.endpoints
    ]
    console.print(make_table(None, columns, rows))
    _print_others(console, [one.relus for one in shapes.endpoints if one.relus])


def _print_input(console: Console, shapes: NetworkShapes) -> None:
    """Print what a network is, and what becomes of frames before it sees them."""
    from gbvis.steps.weights_files import describe_states

    info = shapes.info
    form = info.clip_format
    console.print(
        f"{info.title}  {info.modality}  {info.class_count} classes  {info.parameters:,} parameters  "
        f"checkpoint format {info.checkpoint_format}{f'  {info.path}' if info.path else ''}"
    )
    order = " (u1, v1, u2, v2, ... along time)" if info.interleaved else ""
    layers = "; {padding} padding, batch-norm eps {norm_epsilon:g}".format(**shapes.layers) if shapes.layers else ""
    console.print(f"input {_times(shapes.input)}{order}: frames resized to {_describe_place(form)}{layers}")
    values = "motion in pixels" if form.is_motion else "values from 0 to 255"
    values += " in the order blue, green, red" if form.is_bgr else ""
    console.print(
        f"{values}, divided by {form.scale:g}, less the mean {_list(form.mean)}, divided by {_list(form.std)}"
    )
    if info.states:
        console.print(f"of several states in the file {describe_states(info)}")


def _print_others(console: Console, counts: list[ReluCount]) -> None:
    """Print what a rule for ReLUs does not reach before some endpoint, and what has its own gradient under any rule."""
    from gbvis.attribution.relu_count import name_others

    unguided = dict.fromkeys(name for one in counts for name in one.unguided)
    if unguided:
        console.print(f"a rule for ReLUs does not reach {', '.join(unguided)}")
    others = name_others(counts)
    if others:
        console.print(f"a rule for ReLUs leaves these as they are: {others}")


def _describe_place(form: ClipFormat) -> str:
    """Return where a network looks, as the end of a sentence; sizes are width x height, as `--resize` takes them."""
    if form.keeps_aspect:
        return f"{form.height} pixels on the shorter side, then the {form.crop}x{form.crop} in the middle"
    place = f"{form.crop}x{form.crop} from row {form.top}, column {form.left}"
    return f"{form.width}x{form.height} (width x height), then the {place}"


def _describe_field(endpoint: EndpointShape) -> str:
    if endpoint.receptive_field:
        return "{} frames, {} pixels".format(*endpoint.receptive_field)
    return "the whole clip" if len(endpoint.shape) == 1 else "unknown"


def print_conversion(console: Console, converted: ConvertedWeights) -> None:
    """Print one line for a file of weights."""
    from gbvis.steps.weights_files import describe_states

    held = ", ".join(f"{info.modality} {info.title} from {info.checkpoint_format}" for info in converted.infos)
    console.print(f"{converted.path}  {held}  {converted.size:,} bytes")
    for info in converted.infos:
        if info.states:
            console.print(f"of several states in the file {describe_states(info)}")


def print_sample(console: Console, written: WrittenSample) -> None:
    """Print one line for a sample."""
    console.print(f"{written.name}  drawn into {written.dataset}  {written.file}")


def print_command(console: Console, words: list[str]) -> None:
    """Print a command line that is about to be run."""
    if not console.is_json:
        console.print("")
        console.print(f"$ {join_words(['gbvis', *words])}")


def print_next(console: Console, demo: DemoRequest, commands: list[list[str]]) -> None:
    """Print where the pictures and the report are, and what to try next."""
    if not console.is_json:
        console.print("")
        console.print(f"The pictures are in {demo.pictures}, and {demo.report} shows all runs in a browser. Next:")
        for words in commands:
            console.print(f"$ {join_words(['gbvis', *words])}")


def _list(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)


_NAMES = {
    "run": ("run", "runs"),
    "check": ("test result", "test results"),
    "clips": ("set of clips", "sets of clips"),
    "flow": ("set of flow", "sets of flow"),
    "estimates": ("unfinished estimate", "unfinished estimates"),
    "weights": ("weights record", "weights records"),
    "unfinished": ("left-over", "left-overs"),
    "network": ("prepared network", "prepared networks"),
}


def print_checks(console: Console, checked: Iterable[CheckedGroup]) -> int:
    """Print what is wrong with a store, or that nothing is, and return the exit code: 1 where something is."""
    count, size, wrong = 0, 0, 0
    with console:
        for one in checked:
            count, size, wrong = count + 1, size + one.entry.size, wrong + (one.problem is not None)
            if console.is_json:
                console.print_json(one)
            elif one.problem:
                console.print(f"{one.entry.key or 'the root'}  {one.entry.kind}  {one.problem}")
    if not console.is_json:
        verdict = f"{wrong} damaged" if wrong else "all of it is sound"
        console.print(f"{count} groups, {show_bytes(size)}: {verdict}")
    if wrong:
        hint = "the same `gbvis explain` computes anew what it needs; `gbvis store rm --damaged` removes the rest"
        print_error(f"{wrong} of {count} groups are damaged", hint)
    return int(wrong > 0)


def print_removal(
    console: Console, removed: Iterable[RemovedGroup], entries: Collection[Entry], is_kept: bool = False
) -> int:
    """Print what is removed, or would be; where the user would not have it, that nothing was. Return the exit code."""
    is_removed = True
    with console:
        for one in removed:
            is_removed = one.is_removed
            if console.is_json:
                console.print_json(one)
            elif not is_kept:
                console.print(f"{one.entry.key}  {one.entry.kind}  {show_bytes(one.entry.size)}")
    if not console.is_json:
        how = "removed" if is_removed else "would remove"
        console.print("nothing was removed" if is_kept else f"{how} {count_entries(entries)}")
    return int(is_kept)


def count_of(count: int, name: str) -> str:
    """Return how many there are of what goes by a name."""
    return f"{count} {name}{'s' if count != 1 else ''}"


def count_entries(entries: Collection[Entry]) -> str:
    """Return how many groups of which kind there are, and how large they are."""
    kinds = [entry.kind for entry in entries]
    counts = [f"{kinds.count(kind)} {names[kinds.count(kind) > 1]}" for kind, names in _NAMES.items() if kind in kinds]
    return f"{', '.join(counts) or 'nothing'} ({show_bytes(sum(entry.size for entry in entries))})"


def show_bytes(count: float) -> str:
    """Return a size in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def show_age(seconds: float) -> str:
    """Return how long ago something was, in words."""
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
