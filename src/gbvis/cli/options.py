"""Options, alone and in groups that commands share: what means the same has the same name, letter and words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gbvis.attribution.methods import METHODS
from gbvis.cli import list_options, parse
from gbvis.cli.option_groups import option, switch
from gbvis.cli.weights_names import name_weights
from gbvis.cli.weights_options import Reading
from gbvis.figures.outputs import PICTURES
from gbvis.flow import ALGORITHMS

if TYPE_CHECKING:
    from gbvis.steps.networks import WeightsRequest
    from gbvis.steps.selection import Selection
    from gbvis.steps.streams import FlowRequest
    from gbvis.videos.clip_request import ClipRequest
    from gbvis.videos.name_list import VideoEntry

_FLOW_NAMES = ", ".join(ALGORITHMS.names)
_METHOD_NAMES = ", ".join(METHODS.names)
_SAMPLE_CLASSES = "Classes: left, right, up, down, turn-left, turn-right, grow, shrink"


# Options of single commands.
Top = Annotated[int, option("--top", metavar="K", min=1, text="How many classes to print.")]
Force = Annotated[bool, switch("--force", text="Compute or write again what is already there.")]
Json = Annotated[bool, switch("--json", text="Print one JSON object per line on stdout, and nothing else.")]
Store = Annotated[
    str, option("--store", metavar="PATH|URL", envvar="GBVIS_STORE", text="Where gradients and flow are kept.")
]
Dataset = Annotated[
    Path | None, option("-d", "--dataset", metavar="DIR", envvar="GBVIS_DATASET", text="A two-stream data set.")
]
Methods = Annotated[
    list[str] | None,
    option(
        "--method",
        metavar="NAME[:SETTING=VALUE,...]",
        text=f"The attribution method; repeatable. Methods: {_METHOD_NAMES}. Default: {METHODS.names[0]}.",
    ),
]
LabelsFromOne = Annotated[bool, switch("--labels-from-one", text="The classes in --videos-from count from 1.")]
Labels = Annotated[
    Path | None, option("--labels", metavar="FILE", text="Class names, one per line; they replace the known ones.")
]
ShownVideos = Annotated[
    list[str] | None, typer.Argument(metavar="VIDEO", help="Names or paths. Default: every video in the store.")
]
OutputFile = Annotated[
    Path | None,
    option("-o", "--output", metavar="FILE|FOLDER", text="A file (its suffix gives the format) or a folder."),
]
Formats = Annotated[
    list[str] | None,
    option("--format", metavar="|".join(PICTURES), text="Format in a folder; repeatable. Default: gif."),
]
ExtractedDataset = Annotated[str, option("-o", "--output", metavar="DIR", text="The data set to write.")]
ExtractedAlgorithm = Annotated[str, option("--flow-algorithm", metavar="NAME", text=f"One of: {_FLOW_NAMES}.")]
ExtractedModality = Annotated[str | None, option("-m", "--modality", metavar="rgb|flow", text="Only this stream.")]
Lossless = Annotated[bool, switch("--lossless", text="Write PNG instead of JPEG.")]
Depth = Annotated[int | None, option("--depth", metavar="18|34", text="A network of this depth, without weights.")]
Classes = Annotated[int, option("--classes", metavar="N", min=1, text="With --depth: how many classes.")]
Frames = Annotated[
    int | None, option("-n", "--frames", metavar="T", min=1, max=4096, text="Frames per clip. Default: the network's.")
]
Source = Annotated[str, typer.Argument(metavar="IN", help="A checkpoint of any format.")]
ConvertedFile = Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")]
DemoFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder for all that the demo writes.")]
Samples = Annotated[
    list[str] | None,
    option("--sample", metavar="CLASS-SEED", text=f"A video to draw; repeatable. {_SAMPLE_CLASSES}."),
]
Everything = Annotated[bool, switch("--all", text="Remove every run.")]
Unfinished = Annotated[bool, switch("--unfinished", text="Remove only what killed processes left behind.")]
Damaged = Annotated[bool, switch("--damaged", text="Remove only what does not match its checksums.")]
DryRun = Annotated[bool, switch("--dry-run", text="Say what would be removed, and remove nothing.")]
Yes = Annotated[bool, switch("-y", "--yes", text="Do not ask for confirmation.")]


@dataclass
class Printing:
    """What is printed."""

    as_json: Json = False
    quiet: Annotated[bool, switch("-q", "--quiet", text="Show no progress.")] = False


@dataclass
class VerbosePrinting(Printing):
    """The same, and whether details are printed."""

    verbose: Annotated[bool, switch("-v", "--verbose", text="Print shapes and timings as they happen.")] = False


@dataclass
class Videos:
    """Which videos."""

    videos: Annotated[
        list[str] | None,
        typer.Argument(metavar="VIDEO", help="Video files, folders of frames, names with -d, or sample:CLASS-SEED."),
    ] = None
    videos_from: list_options.VideosFrom = None
    split: list_options.Split = None
    part: list_options.Part = None

    def entries(self, labels_from_one: bool = False, dataset: Path | None = None) -> tuple[VideoEntry, ...]:
        """Return the videos typed and those of the list."""
        listed = list_options.read_list_request(self.videos_from, labels_from_one, self.split, self.part, dataset)
        return parse.parse_videos(self.videos, listed)


@dataclass
class WeightsFiles:
    """Which weights files, and which stream of them."""

    weights: Annotated[
        list[str] | None,
        option(
            "-w",
            "--weights",
            metavar="[NAME=]FILE",
            envvar="GBVIS_WEIGHTS",
            text="A checkpoint, and what lists and pictures call it; repeatable, one per stream. sample means the "
            "networks that come with gbvis.",
        ),
    ] = None
    modality: Annotated[str | None, option("-m", "--modality", metavar="rgb|flow", text="Only this stream.")] = None


@dataclass
class Weights(Reading, WeightsFiles):
    """Which networks, and how their files are read."""

    def request(self) -> WeightsRequest:
        """Return them as steps take them."""
        from gbvis.steps.networks import WeightsRequest

        paths, names = parse.parse_weights(self.weights), name_weights(self.weights)
        return WeightsRequest(
            paths,
            self.modality,
            checkpoint_format=self.checkpoint_format,
            names=names,
            state=self.state,
            inputs=self.inputs(),
        )


@dataclass
class RunningWeights(Weights):
    """The same for commands that compute."""

    labels: Labels = None
    device: Annotated[
        str, option("--device", metavar="auto|cpu|cuda[:N]|mps", envvar="GBVIS_DEVICE", text="The device to use.")
    ] = "auto"
    precision: Annotated[
        str, option("--precision", metavar="float32|tf32|bfloat16", envvar="GBVIS_PRECISION", text="Numeric precision.")
    ] = "float32"

    def request(self) -> WeightsRequest:
        """Return them as steps take them."""
        from dataclasses import replace

        return replace(super().request(), labels=self.labels, device=self.device, precision=self.precision)


@dataclass
class Clips:
    """Which clips of a video."""

    frames: Frames = None
    clips: Annotated[
        str, option("--clips", metavar="K|all", text="How many clips, spread over the video; all covers it.")
    ] = "1"
    start: Annotated[
        str | None,
        option("--start", metavar="FRAME|SECONDSs", text="Where the first clip starts, counted from 0."),
    ] = None
    stride: Annotated[int, option("--stride", metavar="N", min=1, text="Take every Nth frame.")] = 1

    def request(self) -> ClipRequest:
        """Return them as steps take them."""
        from gbvis.videos.clip_request import read_clip_request

        return read_clip_request(self.frames, self.clips, self.start, self.stride)


@dataclass
class ManyClips(Clips):
    """The same, ten clips by default."""

    clips: Annotated[
        str, option("--clips", metavar="K|all", text="How many clips, spread over the video; all covers it.")
    ] = "10"


@dataclass
class Flow:
    """How flow is computed."""

    flow_algorithm: Annotated[
        str | None,
        option(
            "--flow-algorithm",
            metavar="NAME",
            text=f"Compute flow with this algorithm, even where a data set has it: {_FLOW_NAMES}. Default: the one "
            "that the network was trained on.",
        ),
    ] = None
    flow_jpeg: Annotated[bool, switch("--flow-jpeg", text="Pass computed flow through JPEG, as on disk.")] = False
    flow_mean_subtract: Annotated[
        bool, switch("--flow-mean-subtract", text="Subtract the mean motion of each flow frame.")
    ] = False
    meansub: Annotated[
        bool, switch("--meansub", text="As the 2019 script's -meansub: subtract the mean over time, then stretch.")
    ] = False

    def request(self) -> FlowRequest:
        """Return it as steps take it."""
        return parse.parse_flow(self.flow_algorithm, self.flow_jpeg, self.flow_mean_subtract, self.meansub)


@dataclass
class Targets:
    """What is explained."""

    endpoint: Annotated[
        list[str] | None,
        option(
            "-e",
            "--endpoint",
            metavar="NAME",
            text="Conv3d_1 ... Conv3d_5_x, AP, FC, SOFTMAX, or all; repeatable. Default: SOFTMAX.",
        ),
    ] = None
    label: Annotated[
        list[str] | None,
        option(
            "-l",
            "--label",
            metavar="INDEX|NAME",
            text="Class at FC and SOFTMAX; repeatable. Default: the one predicted.",
        ),
    ] = None
    filters: Annotated[
        list[int] | None,
        option(
            "-f", "--filter", metavar="N", min=0, text="Filter at the conv endpoints and AP; repeatable. Default: 0."
        ),
    ] = None
    top_filters: Annotated[
        int | None, option("--top-filters", metavar="K", min=1, text="Explain the K most active filters instead.")
    ] = None


@dataclass
class Selected:
    """Which runs of a store."""

    modality: Annotated[str | None, option("-m", "--modality", metavar="rgb|flow", text="Only this stream.")] = None
    endpoint: Annotated[
        list[str] | None, option("-e", "--endpoint", metavar="NAME", text="Only this endpoint; repeatable.")
    ] = None
    label: Annotated[
        list[str] | None,
        option("-l", "--label", metavar="INDEX|NAME", text="Only this class at FC and SOFTMAX; repeatable."),
    ] = None
    filters: Annotated[
        list[int] | None,
        option("-f", "--filter", metavar="N", min=0, text="Only this filter at the other endpoints; repeatable."),
    ] = None
    frames: Annotated[
        int | None, option("-n", "--frames", metavar="T", min=1, max=4096, text="Only clips of this many frames.")
    ] = None
    clips: Annotated[
        int | None, option("--clips", metavar="K", min=1, text="Only what was explained with this many clips.")
    ] = None
    method: Annotated[
        str | None, option("--method", metavar="NAME", text=f"Only results of this method: {_METHOD_NAMES}.")
    ] = None
    precision: Annotated[
        str | None, option("--precision", metavar="float32|tf32|bfloat16", text="Only results in this precision.")
    ] = None
    weights: Annotated[
        list[str] | None,
        option("-w", "--weights", metavar="FILE|NAME", text="Only results of these weights; repeatable. Default: all."),
    ] = None
    flow_algorithm: Annotated[
        str | None, option("--flow-algorithm", metavar="NAME", text=f"Only flow of this algorithm: {_FLOW_NAMES}.")
    ] = None

    def selection(self) -> Selection:
        """Return it as steps take it."""
        from gbvis.steps.selection import Selection

        several = {
            "endpoints": tuple(self.endpoint or ()),
            "labels": tuple(self.label or ()),
            "filters": tuple(self.filters or ()),
            "weights": parse.parse_weights(self.weights),
        }
        single = {name: getattr(self, name) for name in ("modality", "frames", "clips", "method", "precision")}
        return Selection(**single, **several, flow_algorithm=self.flow_algorithm)  # type: ignore[arg-type]
