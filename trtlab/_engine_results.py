"""What TensorRT told us, as plain data: made in the worker by `engine/`, read in the kernel by everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trtlab._results import Result

FlavourName = Literal["tensorrt", "tensorrt_rtx"]
FLAVOUR_TITLES: dict[str, str] = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT-RTX"}


@dataclass(frozen=True)
class Option(Result):
    """Whether one build option applies to this TensorRT on this machine.

    Attributes:
        id: Name of the option, for instance `timing_cache`, `precision.fp16`, `target.sm86`.
        offered: Whether it can be used.
        reason: Why not, in plain words; empty when it can.
    """

    id: str
    offered: bool
    reason: str = ""


@dataclass(frozen=True)
class Gpu(Result):
    """The GPU that TensorRT would use.

    Attributes:
        name: For instance `NVIDIA H100 80GB HBM3`.
        compute_capability: For instance `9.0`.
        driver: Version of the driver.
        memory_bytes: Total memory.
    """

    name: str
    compute_capability: str
    driver: str
    memory_bytes: int


@dataclass(frozen=True)
class Installation(Result):
    """The TensorRT that builds, and what it can do here.

    Attributes:
        flavour: `tensorrt` or `tensorrt_rtx`.
        version: As the package says.
        chosen_because: Why this flavour and not the other.
        gpu: The GPU that is here, None without one (or without a driver).
        options: Every option of a build plan with whether it applies here.
        compute_capabilities: Names that can be build targets, without the `SM` (`86`); empty where none can be chosen.
        limitations: What this release does not offer of trtlab, in plain words.
    """

    flavour: FlavourName
    version: str
    chosen_because: str
    gpu: Gpu | None
    options: tuple[Option, ...]
    compute_capabilities: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`TensorRT-RTX 1.7.1.116`."""
        return f"{FLAVOUR_TITLES[self.flavour]} {self.version}"

    @property
    def release(self) -> str:
        """The release as remedies tell it apart: `10.8.0.43`, `rtx-1.7.1.116`."""
        return f"rtx-{self.version}" if self.flavour == "tensorrt_rtx" else self.version

    def option(self, name: str) -> Option:
        """Return what is known about one option; an unknown one is not offered."""
        for option in self.options:
            if option.id == name:
                return option
        return Option(name, offered=False, reason=f"{self.title} has no option '{name}'.")

    def __repr__(self) -> str:
        gpu = f"on {self.gpu.name} (compute capability {self.gpu.compute_capability})" if self.gpu else "no GPU here"
        return f"Installation: {self.title}, {gpu}. {self.chosen_because}"


@dataclass(frozen=True)
class NetworkTensor(Result):
    """An input or output of the parsed network; -1 is a dynamic size.

    Attributes:
        name: Name of the tensor.
        dtype: TensorRT's type name in lower case.
        shape: Sizes.
        is_shape_tensor: Whether its values, not only its shape, are needed at build time.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    is_shape_tensor: bool = False


@dataclass(frozen=True)
class ParserError(Result):
    """One error of the ONNX parser, as it reports it.

    Attributes:
        code: Name of the member of `nvonnxparser::ErrorCode`, for instance `UNSUPPORTED_NODE`.
        text: The parser's own reason, which can be the one word `false`.
        node_index: Index of the node inside its graph or function, -1 if the parser does not say.
        node_name: Name of the node, empty if the parser does not say.
        operator: Operator of the node, empty if the parser does not say.
        tensor: Name of the input that was refused, where the parser says it (in the place of a file name).
        scope: Path of the subgraph or function around the node, as the parser gives it, outermost first.
        source: File, line and function of the parser's source that refused.
        output: What the parser wrote to C standard error meanwhile, which can hold the only hint.
    """

    code: str
    text: str
    node_index: int = -1
    node_name: str = ""
    operator: str = ""
    tensor: str = ""
    scope: tuple[str, ...] = ()
    source: str = ""
    output: str = ""


@dataclass(frozen=True)
class ParseResult(Result):
    """What the ONNX parser made of a model.

    Attributes:
        ok: Whether the parser accepted it.
        installation: The TensorRT that parsed.
        errors: All errors of this pass. The parser stops at its first importer failure, so there may be more behind it.
        layers: Number of layers of the network.
        inputs: Inputs of the network.
        outputs: Outputs of the network.
    """

    ok: bool
    installation: Installation
    errors: tuple[ParserError, ...] = ()
    layers: int = 0
    inputs: tuple[NetworkTensor, ...] = ()
    outputs: tuple[NetworkTensor, ...] = ()


@dataclass(frozen=True)
class MemoryUse(Result):
    """Memory that an engine needs, as the builder's log (or the engine) says.

    Attributes:
        activation_bytes: Device memory for activations and scratch of one execution context, at the profiles' maximum.
        weights_bytes: Weights.
        scratch_bytes: Largest scratch memory of one layer; a part of the activation memory, not in addition to it.
        device_persistent_bytes: Device memory that each context keeps.
        host_persistent_bytes: Host memory that each context keeps.
        source: `builder's log` or `engine`.
    """

    activation_bytes: int | None = None
    weights_bytes: int | None = None
    scratch_bytes: int | None = None
    device_persistent_bytes: int | None = None
    host_persistent_bytes: int | None = None
    source: str = "builder's log"


@dataclass(frozen=True)
class EngineLayer(Result):
    """One layer of an engine.

    Attributes:
        name: The engine's name of the layer.
        type: The engine's type of the layer (`correlation`, `kgen`, `gemm` ...).
        onnx_nodes: Names of the ONNX nodes that it computes, in the engine's order; empty for what TensorRT added.
        inputs: Its inputs as `name: dtype [shape]`.
        outputs: Its outputs as `name: dtype [shape]`.
        tactic: Name of the chosen implementation.
    """

    name: str
    type: str
    onnx_nodes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tactic: str = ""


@dataclass(frozen=True)
class BuiltEngine(Result):
    """A serialized engine that the worker holds.

    Attributes:
        engine_bytes: Its size.
        memory: What the log says of its memory.
    """

    engine_bytes: int
    memory: MemoryUse


@dataclass(frozen=True)
class WrittenEngine(Result):
    """An engine that the worker wrote to a temporary file.

    Attributes:
        engine_bytes: Its size.
        sha256: Its digest in hexadecimal.
    """

    engine_bytes: int
    sha256: str


@dataclass(frozen=True)
class InspectResult(Result):
    """What is inside an engine.

    Attributes:
        layers: Its layers in execution order.
        memory: Its memory.
        source: `engine inspector` or `builder's log`.
        note: Why the inspector was not used, where it was not.
    """

    layers: tuple[EngineLayer, ...]
    memory: MemoryUse
    source: str
    note: str = ""
