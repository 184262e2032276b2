"""ShapedKind: a kind of network whose sizes are read from its tensors' shapes, strictly, in several checkpoint formats.

A kind of its own says how its modules are made; reading, comparing and making quick are the same for all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import Example, Likeness, NetworkKind
from gbvis.networks.labels import read_class_list
from gbvis.networks.layers.fold_norms import fold_norms
from gbvis.networks.layers.shapes_alone import ShapesAlone
from gbvis.networks.shaped.format import ShapedFormat, Shapes
from gbvis.networks.shaped.likeness import describe_difference, share_of_known_words, share_of_names
from gbvis.networks.shaped.module import Plan, ShapedModule
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.own_head import LINEAR, with_own_head
from gbvis.networks.weights.safetensors_file import broken_safetensors
from gbvis.networks.weights.strict_reading import collect_tensors, read_modality, unfit
from gbvis.registry import Registry
from gbvis.videos.clip import ClipFormat

_STREAMS = {3: "rgb", 2: "flow"}
"""By the channels that the first convolution takes."""


class ShapedKind(NetworkKind):
    """A kind of network that is read by shape.

    Attributes:
        registry: Its checkpoint formats; `formats` are their names.
        called: What such networks are called in messages: `3-D ResNet`.
        probes: Names in the module's `state_dict()`, one of which every such network has, and no network of other
            kinds.
        first: The name of the first convolution's weight, which tells the stream.
        head: The name of the last layer, without `.weight`.
        head_axes: Axes of the last layer's weight.
    """

    registry: ClassVar[Registry[ShapedFormat]]
    called: ClassVar[str]
    probes: ClassVar[tuple[str, ...]]
    first: ClassVar[str]
    head: ClassVar[str]
    head_axes: ClassVar[int] = LINEAR
    relus_overwrite = True
    fused_version = 3

    @abstractmethod
    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> ShapedModule:
        """Return a network without weights whose parameters have these shapes; on the default device, which is meta.

        It need not look at every tensor: those whose shapes are not the module's are refused afterwards.

        Args:
            shapes: By the module's own names.
            details: As in `ShapedFormat.details`; a file may have brought them.

        Raises:
            LookupError: A weight that decides the sizes is missing, or has another shape than one that fits what comes
                before it; the argument is its name.
            TypeError, ValueError: The details make no sense.
        """

    @abstractmethod
    def small_modules(self) -> Iterator[tuple[str, ShapedModule]]:
        """Yield small networks of this kind, each with the name of a checkpoint format that its shapes fit.

        Several depths, numbers of classes and streams, the plainest network first; on the default device.
        """

    def match(self, named: NamedTensors) -> bool:
        """Return whether a tensor has the name that a probe has in one of the formats."""
        return any(self._has_probe(form, named) for form in self.registry.load_all().values())

    def compare(self, named: NamedTensors) -> Likeness | None:
        """Return how near tensors are to the format most of whose names they have; None where not a word is."""
        modules = self._meta_modules
        forms = self.registry.load_all()
        shares = {
            name: (share_of_names(named, form, modules), share_of_known_words(named, form, modules))
            for name, form in forms.items()
        }
        nearest = max(forms, key=lambda name: (shares[name], forms[name].fits(forms[name].find_shapes(named))))
        share, word_share = shares[nearest]
        if not share and not word_share:
            return None
        difference = describe_difference(named, forms[nearest], modules)
        return Likeness(share, f"{self.called} of the {nearest} format", difference, word_share)

    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[ShapedModule, WeightsInfo]:
        """Return the network, every parameter set from the tensors and every tensor used.

        Raises:
            WeightsError: The tensors are no network of this kind in these formats, or a parameter is missing, spare,
                of the wrong shape or not finite.
        """
        form = self._recognise(named, checkpoint_format)
        head = form.their_name(f"{self.head}.weight").removesuffix(".weight")
        named = with_own_head(named, form.name, head, self.called, self.head_axes)
        module = self._design(named, form)
        if not (checkpoint_format or form.fits(module.plan.shapes)):
            raise unfit(named, form.name, "has the names of such networks, and the shapes of others")
        channels = module.plan.shapes[self.first][1]
        modality = read_modality(named, form.name, channels, _STREAMS, form.formats)
        info = self._describe(module, form, modality)
        names = {name: form.their_name(name) for name in module.state_dict()}
        tensors = collect_tensors(named, form.name, module, names, form.extras)
        module.load_state_dict(tensors, assign=True)
        return module, info

    def fuse(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network made quick: norms folded into convolutions, channels last."""
        fused = fold_norms(module, dtype, device.type == "cpu").to(device, dtype)
        for part in fused.modules():
            if isinstance(part, nn.Conv3d):
                part.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        return fused.eval().requires_grad_(False)

    def describe_fused(self, fused: nn.Module) -> dict[str, Any]:
        """Return the plan of the network."""
        assert isinstance(fused, ShapedModule)
        shapes = {name: list(shape) for name, shape in fused.plan.shapes.items()}
        return {"shapes": shapes, "details": dict(fused.plan.details)}

    def restore(self, details: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
        """Return what `fuse` made.

        Raises:
            LookupError, TypeError, ValueError, RuntimeError: The details make no sense.
        """
        shapes = {name: tuple(shape) for name, shape in details["shapes"].items()}
        fused = fold_norms(self._plan(shapes, details["details"]), torch.float32, is_cpu=True)
        fused.load_state_dict(tensors, assign=True)
        return fused.eval().requires_grad_(False)

    def receptive_fields(self, module: nn.Module) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees, where the module says."""
        assert isinstance(module, ShapedModule)
        return module.receptive_fields()

    def examples(self) -> Iterator[Example]:
        """Yield the small networks under the names of their checkpoint formats."""
        for name, module in self.small_modules():
            form = self.registry.load(name)
            yield Example(name, {form.their_name(own): tensor for own, tensor in module.state_dict().items()})

    def _has_probe(self, form: ShapedFormat, named: NamedTensors) -> bool:
        return any(name in named.tensors for name in self._probe_names[form.name])

    @cached_property
    def _probe_names(self) -> dict[str, tuple[str, ...]]:
        """The names of the probes in each format."""
        forms = self.registry.load_all()
        return {name: form.probes or tuple(map(form.their_name, self.probes)) for name, form in forms.items()}

    @cached_property
    def _meta_modules(self) -> list[ShapedModule]:
        with torch.device("meta"), ShapesAlone():
            return [module for _, module in self.small_modules()]

    def _recognise(self, named: NamedTensors, asked: str | None) -> ShapedFormat:
        """Return the checkpoint format of tensors: what the file says itself, or the user, is not doubted."""
        own = self._read_own_format(named)
        if own and asked and asked != own.name:
            raise WeightsError(
                f"{named.path} says itself that it is of the {own.name} format, not {asked}",
                "leave out --checkpoint-format; where another file needs it, convert that one with "
                "`gbvis convert-weights` first",
            )
        if own:
            return own
        forms = [self.registry.load(asked)] if asked else list(self.registry.load_all().values())
        fitting = [form for form in forms if self._has_probe(form, named)]
        if not fitting:
            raise self._foreign(named, asked)
        if len(fitting) > 1:
            nearest = max(fitting, key=lambda form: share_of_names(named, form, self._meta_modules))
            fitting = [form for form in fitting if form.fits(form.find_shapes(named))] or [nearest]
        if len(fitting) > 1:
            raise WeightsError(
                f"{named.path} may be of the formats {' or '.join(form.name for form in fitting)}: "
                "neither names nor shapes tell",
                f"say which it is: --checkpoint-format {fitting[0].name}",
            )
        return fitting[0]

    def _read_own_format(self, named: NamedTensors) -> ShapedFormat | None:
        """Return the format that the file describes, with the module's own names; None where it describes none."""
        said = named.description
        if said is None:
            return None
        try:
            modality, clip_format = said["modality"], ClipFormat.from_json(said["clip_format"])
            if clip_format.channels != {"rgb": 3, "flow": 2}[modality]:
                raise ValueError("a format for another stream")
            return ShapedFormat(str(said["checkpoint_format"]), {modality: clip_format}, details=dict(said["details"]))
        except (LookupError, TypeError, ValueError) as error:
            raise broken_safetensors(named.path) from error

    def _foreign(self, named: NamedTensors, asked: str | None) -> WeightsError:
        """Return the error for tensors whose names are not those of the format that they are said to be of."""
        first = ", ".join(list(named.tensors)[:3])
        what = f" of the {asked} format" if asked else ""
        return WeightsError(
            f"{named.path} is no {self.called} checkpoint{what}: its tensors are named {first}, ...",
            f"known checkpoint formats: {', '.join(self.registry.names)}",
        )

    def _plan(self, shapes: Shapes, details: Mapping[str, Any]) -> ShapedModule:
        """Return a network without weights that knows its plan.

        Raises:
            LookupError, TypeError, ValueError: As `design`.
        """
        with torch.device("meta"), ShapesAlone():
            module = self.design(shapes, details)
        module.plan = Plan({name: tuple(one.shape) for name, one in module.state_dict().items()}, dict(details))
        return module.eval().requires_grad_(False)

    def _design(self, named: NamedTensors, form: ShapedFormat) -> ShapedModule:
        shapes = form.find_shapes(named)
        empty = [form.their_name(name) for name, shape in shapes.items() if 0 in shape]
        if empty:
            shape = list(named.tensors[empty[0]].shape)
            raise unfit(named, form.name, f"has {empty[0]} with shape {shape}, which does not fit the others")
        try:
            return self._plan(shapes, form.details)
        except (TypeError, ValueError) as error:
            raise broken_safetensors(named.path) from error
        except LookupError as error:
            name = form.their_name(str(error.args[0]))
            odd = named.tensors.get(name)
            if odd is None:
                what = describe_difference(named, form, self._meta_modules, missing=name)
            else:
                shape = list(odd.shape) if isinstance(odd, Tensor) else type(odd).__name__
                what = f"has {name} with shape {shape}, which does not fit the others"
                difference = describe_difference(named, form, self._meta_modules)
                what += f"; it {difference}" if difference.startswith("is missing") else ""
            raise unfit(named, form.name, what) from error

    def _describe(self, module: ShapedModule, form: ShapedFormat, modality: str) -> WeightsInfo:
        """Return what is known of a network; its targets are counted on a clip without numbers."""
        clip_format = form.formats[modality]
        size = (1, clip_format.channels, clip_format.frames, clip_format.crop, clip_format.crop)
        with ShapesAlone():
            found = list(module.endpoints(torch.empty(size, device="meta")))
        targets = {endpoint.name: activation.shape[1] for endpoint, activation in found}
        info = WeightsInfo(
            kind=self.name,
            title=module.title,
            checkpoint_format=form.name,
            modality=modality,
            parameters=sum(parameter.numel() for parameter in module.parameters()),
            clip_format=clip_format,
            endpoints=tuple(endpoint for endpoint, _ in found),
            targets=targets,
            cells=module.cells(),
            details=dict(form.details),
        )
        class_list = form.class_lists.get(info.class_count)
        return replace(info, labels=read_class_list(class_list) if class_list else None)
