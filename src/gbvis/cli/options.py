"""Options: those that mean the same have the same name, letter and text in every command."""

from pathlib import Path
from typing import Annotated

import typer

from gbvis import registry

SAMPLE_CLASSES = "Classes: left, right, up, down, turn-left, turn-right, grow, shrink"
FLOW_NAMES = ", ".join(registry.FLOWS)
FAMILY_NAMES = ", ".join(registry.CHECKPOINTS)
Videos = Annotated[
    list[str] | None,
    typer.Argument(metavar="[VIDEO]...", help="Video files, folders of frames, names with -d, or sample:CLASS-SEED."),
]
RenderedVideos = Annotated[
    list[str] | None,
    typer.Argument(metavar="[VIDEO]...", help="Names or paths; none means every video in the store."),
]
SelectedVideos = Annotated[
    list[str] | None, typer.Argument(metavar="[VIDEO]...", help="Names or paths; only runs of these.")
]
Everything = Annotated[bool, typer.Option("--all", help="Every run of the store.")]
Unfinished = Annotated[bool, typer.Option("--unfinished", help="What killed processes left behind, and nothing else.")]
Damaged = Annotated[bool, typer.Option("--damaged", help="What does not fit its checksums, and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
Source = Annotated[Path, typer.Argument(metavar="IN", help="A checkpoint of any family.")]
ConvertedFile = Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")]
DemoFolder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where everything goes.")]
ExtractedVideos = Annotated[
    list[str] | None,
    typer.Argument(metavar="[VIDEO]...", help="Video files, folders of frames, or sample:CLASS-SEED."),
]
ExtractedDataset = Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="The data set, for -d later.")]
ExtractedAlgorithm = Annotated[str, typer.Option("--flow-algorithm", metavar="NAME", help=f"One of: {FLOW_NAMES}.")]
Lossless = Annotated[bool, typer.Option("--lossless", help="PNG in place of JPEG.")]
Samples = Annotated[
    list[str] | None,
    typer.Option("--sample", metavar="CLASS-SEED", help=f"Which, instead of three; repeatable. {SAMPLE_CLASSES}."),
]
VideosFrom = Annotated[
    str | None,
    typer.Option("--videos-from", metavar="FILE", help="Names, or NAME.avi LABEL, a line each; - is stdin."),
]
LabelsFromOne = Annotated[bool, typer.Option("--labels-from-one", help="LABELs in --videos-from count from 1.")]
Dataset = Annotated[
    Path | None,
    typer.Option("-d", "--dataset", metavar="DIR", envvar="GBVIS_DATASET", help="Two-stream data set."),
]
Weights = Annotated[
    list[Path] | None,
    typer.Option(
        "-w",
        "--weights",
        metavar="FILE",
        envvar="GBVIS_WEIGHTS",
        help="Checkpoint; repeatable, one a stream. sample: the networks that come with gbvis.",
    ),
]
SelectedWeights = Annotated[
    list[Path] | None, typer.Option("-w", "--weights", metavar="FILE", help="Only what these weights gave; repeatable.")
]
CheckpointFormat = Annotated[
    str | None,
    typer.Option("--family", metavar="NAME", help=f"What the weights are, if they do not tell: {FAMILY_NAMES}."),
]
Modality = Annotated[str | None, typer.Option("-m", "--modality", metavar="rgb|flow", help="This stream alone.")]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "-e",
        "--endpoint",
        metavar="NAME",
        help="Conv3d_1 ... Conv3d_5_x, AP, FC, SOFTMAX, or all; repeatable.",
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--label",
        metavar="INDEX|NAME",
        help="Class at FC and SOFTMAX; repeatable. Default: the one predicted.",
    ),
]
LabelsFile = Annotated[
    Path | None, typer.Option("--labels", metavar="FILE", help="Class names, one a line, in place of the known ones.")
]
Filters = Annotated[
    list[int] | None,
    typer.Option(
        "-f",
        "--filter",
        metavar="N",
        min=0,
        help="Filter at the conv endpoints and AP; repeatable. Default: 0.",
    ),
]
TopFilters = Annotated[
    int | None, typer.Option("--top-filters", metavar="K", min=1, help="The K most active filters instead.")
]
Frames = Annotated[
    int | None,
    typer.Option("-n", "--frames", metavar="T", min=1, max=4096, help="Frames per clip. Default: the network's."),
]
Clips = Annotated[
    str,
    typer.Option("--clips", metavar="K|all", help="How many clips, spread over the video; all covers it."),
]
SelectedClips = Annotated[
    int | None,
    typer.Option("--clips", metavar="K", min=1, help="Only what was explained with so many clips."),
]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="FRAME|SECONDSs", help="First frame of the first clip, counted from 0."),
]
Stride = Annotated[int, typer.Option("--stride", metavar="N", min=1, help="Take every Nth frame.")]
METHOD_NAMES = ", ".join(registry.METHODS)
Method = Annotated[str, typer.Option("--method", metavar="NAME", help=f"One of: {METHOD_NAMES}.")]
SelectedMethod = Annotated[str | None, typer.Option("--method", metavar="NAME", help=f"One of: {METHOD_NAMES}.")]
Device = Annotated[
    str,
    typer.Option("--device", metavar="auto|cpu|cuda[:N]|mps", envvar="GBVIS_DEVICE", help="Where to compute."),
]
Precision = Annotated[
    str,
    typer.Option("--precision", metavar="float32|tf32|bfloat16", envvar="GBVIS_PRECISION", help="How exactly."),
]
SelectedPrecision = Annotated[
    str | None,
    typer.Option("--precision", metavar="float32|tf32|bfloat16", help="Only what was computed so."),
]
StorePath = Annotated[
    str, typer.Option("--store", metavar="PATH|URL", envvar="GBVIS_STORE", help="Where gradients and flow are kept.")
]
FlowAlgorithm = Annotated[
    str | None,
    typer.Option(
        "--flow-algorithm",
        metavar="NAME",
        help=f"Compute flow, also where a data set has it: {FLOW_NAMES}. Default: what the network was trained on.",
    ),
]
SelectedFlowAlgorithm = Annotated[
    str | None, typer.Option("--flow-algorithm", metavar="NAME", help=f"Only flow computed so: {FLOW_NAMES}.")
]
FlowJpeg = Annotated[bool, typer.Option("--flow-jpeg", help="Pass computed flow through JPEG, as on disk.")]
FlowMeanSubtract = Annotated[
    bool, typer.Option("--flow-mean-subtract", help="Take each flow frame's mean motion away: the camera's.")
]
Meansub = Annotated[
    bool, typer.Option("--meansub", help="As the 2019 script's -meansub: less the mean over time, then stretched.")
]
Top = Annotated[int, typer.Option("--top", metavar="K", min=1, help="How many classes.")]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE|FOLDER", help="A file, whose suffix is its format, or a folder."),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format", metavar="|".join(registry.RENDERERS), help="Format in a folder; repeatable. Default: gif."
    ),
]
LayoutName = Annotated[
    str | None,
    typer.Option("--layout", metavar="NAME", help=f"{', '.join(registry.LAYOUTS)}. Default: strip, and sheet for png."),
]
Panels = Annotated[str, typer.Option("--panels", metavar="NAMES", help="Which panels, separated by commas.")]
FlowChannels = Annotated[str, typer.Option("--flow", metavar="u|v|both", help="Which channel of flow.")]
FlowColors = Annotated[
    str, typer.Option("--flow-colors", metavar="grey|wheel", help="Flow frames as u and v, or direction as hue.")
]
Colors = Annotated[str, typer.Option("--colors", metavar="maps|old", help="Colour maps, or the 2019 figure's look.")]
Percentile = Annotated[
    float,
    typer.Option("--percentile", metavar="P", min=50, max=100, help="Colours end where P % of the values lie below."),
]
Loops = Annotated[str, typer.Option("--loop", metavar="N|forever", help="How often an animation is played.")]
Font = Annotated[Path | None, typer.Option("--font", metavar="FILE", help="A .ttf or .otf file for the text.")]
Scale = Annotated[str, typer.Option("--scale", metavar="clip|all|frame", help="What shares one colour scale.")]
Rate = Annotated[float, typer.Option("--fps", metavar="N", min=0.1, max=60, help="Frames per second of the picture.")]
Size = Annotated[
    int | None,
    typer.Option(
        "--size", metavar="PIXELS", min=56, max=2048, help="Side of a panel. Default: 224, sheet 112, endpoints 160."
    ),
]
Depth = Annotated[int | None, typer.Option("--depth", metavar="18|34", help="A network without weights, this deep.")]
Classes = Annotated[int, typer.Option("--classes", metavar="N", min=1, help="With --depth: how many classes.")]
Force = Annotated[bool, typer.Option("--force", help="Compute or write again what is there.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Shapes and timings as they happen.")]
