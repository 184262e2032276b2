"""Options, alone and in groups that commands share: what means the same has the same name and letter."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gbvis.attribution.checks import CHECKS
from gbvis.attribution.methods import METHODS
from gbvis.cli import parse
from gbvis.cli.network_options import OwnNetworkOptions
from gbvis.cli.option_groups import option, switch
from gbvis.cli.weights_options import WEIGHTS_VARIABLE, Reading
from gbvis.figures.outputs import PICTURES
from gbvis.flow import ALGORITHMS

if TYPE_CHECKING:
    from gbvis.steps.engines.engine import Engine
    from gbvis.steps.networks import WeightsRequest
    from gbvis.steps.streams import FlowRequest
    from gbvis.videos.clip_request import ClipRequest

FLOW_NAMES = ", ".join(ALGORITHMS.names)
CHECK_NAMES = ", ".join(CHECKS.names)
METHOD_NAMES = ", ".join(METHODS.names)
DEVICE_VARIABLE = "GBVIS_DEVICE"
_SAMPLE_CLASSES = "Classes: left, right, up, down, turn-left, turn-right, grow, shrink"

# Options of several commands, which say in their own words what it is for.
modality_option = partial(option, "-m", "--modality", metavar="rgb|flow")
endpoint_option = partial(option, "-e", "--endpoint", metavar="NAME")
label_option = partial(option, "-l", "--label", metavar="INDEX|NAME")
filter_option = partial(option, "-f", "--filter", metavar="N", min=0)
frames_option = partial(option, "-n", "--frames", metavar="T", min=1, max=4096)
precision_option = partial(option, "--precision", metavar="float32|tf32|bfloat16")
flow_algorithm_option = partial(option, "--flow-algorithm", metavar="NAME")

# Options of single commands, or the same in several.
Top = Annotated[int, option("--top", metavar="K", min=1, text="How many classes to print.")]
WarmCommand = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- COMMAND ...]", help="What to run; without, prints what a shell has to `eval`."),
]
Stop = Annotated[bool, switch("--stop", text='End what `eval "$(gbvis warm)"` started for this shell.')]
Idle = Annotated[
    str, option("--idle", metavar="TIME", text="For a shell: end when no call has come for so long, as 30s, 10m or 2h.")
]
Force = Annotated[bool, switch("--force", text="Compute or write again what is already there.")]
Json = Annotated[bool, switch("--json", text="Print one JSON object per line on stdout, and nothing else.")]
Store = Annotated[
    str, option("--store", metavar="PATH|URL", envvar="GBVIS_STORE", text="Use this store of gradients and flow.")
]
Dataset = Annotated[
    Path | None,
    option(
        "-d",
        "--dataset",
        metavar="DIR",
        envvar="GBVIS_DATASET",
        text="Look for names in this two-stream data set. Default: none.",
    ),
]
Methods = Annotated[
    list[str] | None,
    option(
        "--method",
        metavar="NAME[:SETTING=VALUE,...]",
        text=f"Use this attribution method; repeatable. Methods: {METHOD_NAMES}; or all. Default: {METHODS.names[0]}.",
    ),
]
AllowUnguided = Annotated[
    bool,
    switch(
        "--allow-unguided",
        text="Use methods with a rule for ReLUs on networks with other activations too; the run keeps which these are.",
    ),
]
Tests = Annotated[
    list[str] | None,
    option(
        "--test",
        metavar="NAME[:SETTING=VALUE,...]",
        text=f"Run this test; repeatable. Tests: {CHECK_NAMES}; or all. Default: all that apply.",
    ),
]
Seed = Annotated[int, option("--seed", metavar="N", min=0, text="Draw all that is random from this seed.")]
Masks = Annotated[
    str | None,
    option(
        "--masks",
        metavar="mover|motion|PATH",
        text="Where the object is, for pointing and mass: what moves in a sample, where the flow is above 1 pixel a "
        "frame, a folder of masks, or boxes of UCF-101-24. Default: mover, for samples.",
    ),
]
Report = Annotated[bool, switch("--report", text="Print what tests found over all videos of the store, and run none.")]
Labels = Annotated[
    Path | None,
    option(
        "--labels",
        metavar="FILE",
        text="Take class names from this file, one per line. Default: those that the weights have.",
    ),
]
OutputFile = Annotated[
    Path | None,
    option(
        "-o",
        "--output",
        metavar="FILE|FOLDER",
        text="Write this file (its suffix gives the format), or into this folder. Default: the current folder.",
    ),
]
ReportPath = Annotated[
    Path, option("-o", "--output", metavar="FILE", text="Write this HTML file. Default: report.html.")
]
ExplainedReport = Annotated[
    Path | None, option("--report", metavar="FILE", text="Then write the runs into this HTML file. Default: none.")
]
Pages = Annotated[
    bool, switch("--pages", text="Write a list of all runs, and a folder beside it with files of at most 50 MB.")
]
LargeForce = Annotated[bool, switch("--force", text="Overwrite another file, and write more than 50 MB into one.")]
Open = Annotated[bool, switch("--open", text="Show it in the browser.")]
Port = Annotated[
    int, option("--port", metavar="N", min=0, max=65535, text="Answer at this port; 0 is any that is free.")
]
Formats = Annotated[
    list[str] | None,
    option(
        "--format",
        metavar="|".join(PICTURES),
        text="Write this format into the folder; repeatable. Default: gif, and png for what does not move.",
    ),
]
ExtractedDataset = Annotated[str, option("-o", "--output", metavar="DIR", text="Write this data set.")]
ExtractedAlgorithm = Annotated[str, flow_algorithm_option(text=f"Compute flow with one of: {FLOW_NAMES}.")]
ExtractedModality = Annotated[str | None, modality_option(text="Write only this stream. Default: both.")]
Lossless = Annotated[bool, switch("--lossless", text="Write PNG instead of JPEG.")]
Depth = Annotated[
    int | None,
    option("--depth", metavar="18|34", text="Show a network of this depth, without weights. Default: that of -w."),
]
Classes = Annotated[
    int, option("--classes", metavar="N", min=1, text="With --depth, give the network so many classes.")
]
Frames = Annotated[int | None, frames_option(text="Take so many frames per clip. Default: the network's.")]
ClipCount = Annotated[
    str, option("--clips", metavar="K|all", text="How many clips, spread over the video; all covers it.")
]
Source = Annotated[str, typer.Argument(metavar="IN", help="A checkpoint of any format.")]
ConvertedFile = Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")]
DemoFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder for all that the demo writes.")]
Samples = Annotated[
    list[str] | None,
    option("--sample", metavar="CLASS-SEED", text=f"Draw this video; repeatable. {_SAMPLE_CLASSES}. Default: three."),
]
MergedStores = Annotated[
    list[str], typer.Argument(metavar="PATH|URL", help="Paths or URLs of stores; none is changed.")
]
MergeOutput = Annotated[
    str,
    option("-o", "--output", metavar="PATH|URL", text="Join them in this store, which may be there, or one of them."),
]
MergeDryRun = Annotated[bool, switch("--dry-run", text="Say what would be copied, and copy nothing.")]
Everything = Annotated[bool, switch("--all", text="Remove every run, and the weights' records.")]
Unfinished = Annotated[
    bool,
    switch("--unfinished", text="Remove only what stopped calls left behind, and records of weights of no run."),
]
Damaged = Annotated[bool, switch("--damaged", text="Remove only what does not match its checksums.")]
PreparedNetworks = Annotated[
    bool, switch("--networks", text="Remove only the prepared networks in your cache folder; they are made again.")
]
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
class WeightsFiles:
    """Which weights files, and which stream of them."""

    weights: Annotated[
        list[str] | None,
        option(
            "-w",
            "--weights",
            metavar="[NAME=]FILE",
            envvar=WEIGHTS_VARIABLE,
            text="Use this checkpoint; repeatable, one per stream. With NAME=, lists and pictures call it so. sample "
            "means the networks that come with gbvis.",
        ),
    ] = None
    modality: Annotated[str | None, modality_option(text="Use only this stream. Default: all with weights.")] = None


@dataclass
class Weights(Reading, OwnNetworkOptions, WeightsFiles):
    """Which networks, and how their files are read."""

    def request(self) -> WeightsRequest:
        """Return them as steps take them."""
        from gbvis.steps.networks import WeightsRequest

        own = self.own_network()
        typed = self.weights if own is None else parse.leave_variable(self.weights)
        paths, names = parse.parse_weights(typed), parse.name_weights(typed)
        return WeightsRequest(
            paths,
            self.modality,
            checkpoint_format=self.checkpoint_format,
            names=names,
            state=self.state,
            inputs=self.inputs(),
            network=own,
        )


@dataclass
class RunningWeights(Weights):
    """The same for commands that compute."""

    labels: Labels = None
    device: Annotated[
        str, option("--device", metavar="auto|cpu|cuda[:N]|mps", envvar=DEVICE_VARIABLE, text="Compute on this device.")
    ] = "auto"
    precision: Annotated[str, precision_option(envvar="GBVIS_PRECISION", text="Compute in this precision.")] = "float32"

    def request(self) -> WeightsRequest:
        """Return them as steps take them."""
        return replace(super().request(), labels=self.labels, device=self.device, precision=self.precision)


@dataclass
class Clips:
    """Which clips of a video."""

    frames: Frames = None
    clips: ClipCount = "1"
    start: Annotated[
        str | None,
        option(
            "--start",
            metavar="FRAME|SECONDSs",
            text="Start the first clip here, counted from 0. Default: clips are spread over the video.",
        ),
    ] = None
    stride: Annotated[int, option("--stride", metavar="N", min=1, text="Take every Nth frame.")] = 1

    def request(self) -> ClipRequest:
        """Return them as steps take them."""
        from gbvis.videos.clip_request import read_clip_request

        return read_clip_request(self.frames, self.clips, self.start, self.stride)


@dataclass
class ManyClips(Clips):
    """The same, ten clips by default."""

    clips: ClipCount = "10"


@dataclass
class Flow:
    """How flow is computed."""

    flow_algorithm: Annotated[
        str | None,
        flow_algorithm_option(
            text=f"Compute flow with this algorithm, even where a data set has it: {FLOW_NAMES}. Default: the one "
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
        endpoint_option(
            text="Explain at this endpoint: Conv3d_1 ... Conv3d_5_x, AP, FC, SOFTMAX, or all; repeatable. Default: "
            "SOFTMAX, where the network has it; else its last one.",
        ),
    ] = None
    label: Annotated[
        list[str] | None,
        label_option(text="Explain this class at FC and SOFTMAX; repeatable. Default: the one predicted."),
    ] = None
    filters: Annotated[
        list[int] | None,
        filter_option(text="Explain this filter at the conv endpoints and AP; repeatable. Default: 0."),
    ] = None
    top_filters: Annotated[
        int | None,
        option("--top-filters", metavar="K", min=1, text="Explain the K most active filters instead. Default: off."),
    ] = None


@dataclass
class Workers:
    """Where the videos are worked on, if not in this process."""

    devices: Annotated[
        str | None,
        option(
            "--devices",
            metavar="all|cuda:0,cuda:1|cpu:4x2",
            text="Share the videos among workers: one on each GPU, or 4 of 2 threads on the CPU; all: every GPU, or "
            "without one a worker for each core. Default: none.",
        ),
    ] = None
    engine: Annotated[
        str | None,
        option(
            "--engine",
            metavar="processes|ray",
            text="Run the workers as processes of this machine, or as actors of a Ray cluster. Default: processes, "
            "where --devices is given.",
        ),
    ] = None

    def find(self, weights: RunningWeights) -> Engine | None:
        """Return them as steps take them; None where this process does all.

        Raises:
            UsageError: There is no such device or engine, or a single device is given too.
        """
        from gbvis.steps.engines import check_device, find_engine

        is_default = weights.device == os.environ.get(DEVICE_VARIABLE)  # an option comes before a variable
        check_device("auto" if is_default else weights.device, self.engine, self.devices)
        return find_engine(self.engine, self.devices)
