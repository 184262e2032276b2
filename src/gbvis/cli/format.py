"""Results in words and tables, for people; `--json` has the same as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gbvis.cli.console import Result, Screen, make_table
from gbvis.progress import Failure
from gbvis.shell import join_words

if TYPE_CHECKING:
    from gbvis.steps.convert_weights import ConvertedWeights
    from gbvis.steps.demo import WrittenSample
    from gbvis.steps.explain import ExplainedRun
    from gbvis.steps.extract import ExtractedVideo
    from gbvis.steps.inspect_shapes import NetworkShapes
    from gbvis.steps.predict import Prediction
    from gbvis.steps.render import RenderedPicture, RenderedTable

Shown = TypeVar("Shown", bound=Result)


def show_all(screen: Screen, results: Iterable[Shown | Failure], show: Callable[[Screen, Shown], None]) -> int:
    """Show results as they come and return the exit code: 1 where a video failed, else 0.

    What makes both streams of a video fail is said once.
    """
    said: Failure | None = None
    with screen:
        for result in results:
            if isinstance(result, Failure):
                if result != said:
                    screen.fail(result)
                said = result
            elif screen.is_json:
                screen.print_json(result)
            else:
                show(screen, result)
    return int(screen.has_failed)


def show_run(screen: Screen, explained: ExplainedRun) -> None:
    """Print one line for a run."""
    run = explained.run
    label = explained.label
    name = f" {label['name']}" if label and label["name"] else ""
    value = sum(run.values) / len(run.values)
    how = "cached, nothing computed" if explained.is_cached else f"computed in {explained.seconds:.1f} s"
    target = f"{run.endpoint.target_kind} {run.target}{name}"
    screen.print(f"{run.video}  {run.modality}  {run.endpoint}  {target}  {value:.4g}  {how}")
    screen.say(f"  {run.location}")


def show_prediction(screen: Screen, prediction: Prediction) -> None:
    """Print a table of the best classes."""
    count = f"{prediction.clips} clip{'s' if prediction.clips > 1 else ''}"
    rows = [(f"{one['score']:.4f}", one["index"], one["label"] or "") for one in prediction.top]
    title = f"{prediction.video}  {prediction.modality}  {count}"
    screen.print(make_table(title, ("score", "class", "label"), rows))


def show_table(screen: Screen, table: RenderedTable) -> None:
    """Print one line for a table."""
    screen.print(f"{table.path}  {table.rows} rows{'  unchanged' if table.is_unchanged else ''}")


def show_picture(screen: Screen, rendered: RenderedPicture) -> None:
    """Print one line for a picture."""
    size = f"{rendered.frames} frame{'s' if rendered.frames > 1 else ''} of {rendered.width}x{rendered.height}"
    how = "unchanged" if rendered.is_unchanged else f"{rendered.seconds:.1f} s"
    screen.print(f"{rendered.path}  {size}  {how}")


def show_extracted(screen: Screen, extracted: ExtractedVideo) -> None:
    """Print one line for a video of a data set."""
    counts = ", ".join(f"{count} {name} frame{'s' if count != 1 else ''}" for name, count in extracted.frames.items())
    how = "there already" if extracted.is_unchanged else f"written in {extracted.seconds:.1f} s"
    screen.print(f"{extracted.video}  {counts}  {how}")


def show_shapes(screen: Screen, shapes: NetworkShapes) -> None:
    """Print a network and a table of its endpoints."""
    card = shapes.card
    form = card.clip_format
    screen.print(
        f"R(2+1)D-{card.depth}  {card.modality}  {card.class_count} classes  {card.parameters:,} parameters  "
        f"family {card.family}{f'  {card.path}' if card.path else ''}"
    )
    order = " (u1, v1, u2, v2, ... along time)" if card.interleaved else ""
    screen.print(
        f"input {_times(shapes.input)}{order}: frames resized to {form.height}x{form.width}, then the "
        f"{form.crop}x{form.crop} from row {form.top}, column {form.left}; {card.variant.padding} padding, "
        f"batch-norm eps {card.variant.norm_epsilon:g}"
    )
    values = "motion in pixels" if form.is_motion else "values from 0 to 255"
    screen.print(f"{values}, divided by {form.scale:g}, less the mean {_list(form.mean)}, divided by {_list(form.std)}")
    rows = [
        (
            endpoint.name,
            ", ".join(endpoint.aliases),
            _times(endpoint.shape),
            f"{endpoint.filters}",
            "{} frames, {} pixels".format(*endpoint.receptive_field) if endpoint.receptive_field else "the whole clip",
        )
        for endpoint in shapes.endpoints
    ]
    screen.print(make_table(None, ("endpoint", "also called", "shape", "targets", "one activation sees"), rows))


def show_conversion(screen: Screen, converted: ConvertedWeights) -> None:
    """Print one line for a file of weights."""
    held = ", ".join(f"{card.modality} R(2+1)D-{card.depth} of family {card.family}" for card in converted.cards)
    screen.print(f"{converted.path}  {held}  {converted.size:,} bytes")


def show_sample(screen: Screen, written: WrittenSample) -> None:
    """Print one line for a sample."""
    screen.print(f"{written.name}  drawn into {written.dataset}  {written.file}")


def show_command(screen: Screen, words: list[str]) -> None:
    """Print a command line that is about to be run."""
    if not screen.is_json:
        screen.print("")
        screen.print(f"$ {join_words(['gbvis', *words])}")


def show_next(screen: Screen, pictures: Path, commands: list[list[str]]) -> None:
    """Print where the pictures are and what to try next."""
    if not screen.is_json:
        screen.print("")
        screen.print(f"The pictures are in {pictures}. Next:")
        for words in commands:
            screen.print(f"$ {join_words(['gbvis', *words])}")


def _list(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
