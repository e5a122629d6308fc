"""Recognise why a build ended without an engine: TensorRT's own errors, the worker's end, the file system."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from dataclasses import replace

from trtlab.explain.diagnosis import Cause, Diagnosis, Place, Remedy
from trtlab.explain.wording import clean_message, first_sentence
from trtlab.worker.ending import Ending

_CODE = re.compile(r"Error Code (\d+): ([A-Z][\w ]*?)\s*(?:\(|$)")
_NODE = re.compile(r"(?:operation|node|layer) '?\{?(?:ForeignNode\[)?([^'\]}\s]+)", re.IGNORECASE)


def diagnose_build(messages: Sequence[str], *, step: str = "build") -> Diagnosis:
    """Return the diagnosis of a build that TensorRT refused.

    Args:
        messages: The errors of its log, in order. The first that is not the harmless tail about the driver counts.
        step: The step that failed.
    """
    # The tail about a missing driver counts only where there is nothing else.
    text = "\n".join(filter(None, map(clean_message, messages))) or "\n".join(messages)
    diagnosis = _recognise(text)
    code = _CODE.search(text)
    node = _NODE.search(text)
    place = replace(
        diagnosis.place, step=step, node=diagnosis.place.node or (node[1] if node and "'" in node[0] else "")
    )
    shown = f"Error Code {code[1]}: {code[2]}" if code else ""
    return replace(diagnosis, place=place, tensorrt_code=shown, original="\n".join(messages))


def _recognise(text: str) -> Diagnosis:
    for pattern, identifier, title, why, remedies in _BUILD_RULES:
        match = re.search(pattern, text, re.IGNORECASE | re.DOTALL)
        if match:
            facts = {name: value for name, value in match.groupdict().items() if value}
            place = Place(node=facts.get("node", ""), tensor=facts.get("tensor", ""))
            return Diagnosis(identifier, title, place=place, why=_fill(why, facts, text), remedies=remedies)
    return Diagnosis(
        "build.failed",
        "TensorRT could not build the engine",
        why=_first_reason(text) or "TensorRT gave no reason.",
        remedies=(
            Remedy(
                "Read the last messages of the log above this one; the verbose lines tell which layer it was working on."
            ),
        ),
        sure=False,
    )


def _fill(template: str, facts: dict[str, str], text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: facts.get(match[1], "?"), template) if template else _first_reason(text)


def _first_reason(text: str) -> str:
    """Return the reason of the first message that holds an error code, else of the first."""
    messages = text.split("\n")
    return first_sentence(next((message for message in messages if _CODE.search(message)), messages[0]))


_SMALLER_SHAPES = Remedy("Make the largest shapes of the profile smaller.")
_PROFILE = Remedy(
    "Give a shape profile for every dynamic input: smallest, usual and largest shape.",
    'trtlab.build(model, shapes={"x": (min, opt, max)})',
)

# Pattern, id, title, why ({name}: a group of the pattern; empty: TensorRT's own sentence), remedies. First match counts.
_BUILD_RULES: tuple[tuple[str, str, str, str, tuple[Remedy, ...]], ...] = (
    (r"BuildCanceled|build was cancell?ed", "build.cancelled", "The build was cancelled", "It was asked to stop.", (Remedy("Run the step again when you want it."),)),
    (r"no optimization profile has been defined", "config.profile_missing", "The model has dynamic inputs, and the plan has no shape profile", "", (_PROFILE,)),
    (r"Dynamic input tensor (?P<tensor>.+?) is missing dimensions in profile (?P<profile>\d+)", "config.profile_missing",
     "A dynamic input has no range in the shape profile", "Input '{tensor}' has none in profile {profile}.", (_PROFILE,)),
    (r"Dimension mismatch for tensor (?P<tensor>.+?) and profile (?P<profile>\d+)\. At dimension axis (?P<axis>\d+), profile has (?P<given>.+?) but tensor has (?P<size>\d+)",
     "config.profile_range", "The shape profile changes a size that the model has fixed",
     "Axis {axis} of '{tensor}' is {size} in the model; profile {profile} says {given}.", (_PROFILE,)),
    (r"tensor (?P<tensor>.+?) has (?P<rank>\d+) dimensions but profile (?P<profile>\d+) has (?P<given>\d+) dimensions", "config.profile_range",
     "The shape profile has the wrong number of dimensions", "'{tensor}' has {rank} dimensions, profile {profile} gives {given}.", (_PROFILE,)),
    (r"no tactics to implement the operation within workspace limit", "config.workspace", "The workspace limit is too small", "",
     (Remedy("Raise the workspace limit, or leave it out: TensorRT then may use the whole GPU memory.", "BuildPlan(memory_limits={})"),)),
    (r"(?:I\w+Layer (?P<node>[^:]+): )?reshaping failed for tensor[^\n]*? reshape would change volume|reshape would change volume", "parse.shape", "A Reshape does not allow other sizes",
     "A fixed size (often the batch) is baked into the target shape of a Reshape, so the model works for one size only.",
     (Remedy("Export the model with a dynamic batch, or set that entry of the Reshape's target shape to -1 or 0."), Remedy("Or build for exactly the exported shape."))),
    (r"k(?P<bound>MIN|OPT|MAX) values for profile (?P<profile>\d+) violate shape constraints: (?:I\w+Layer )?(?P<node>.+?): (?P<reason>.+?)(?: In \w+(?:\(\))? at |$)", "config.profile_range",
     "The model does not work at a size that the profile allows", "At the {bound} sizes of profile {profile}, node '{node}' fails: {reason} That is a limit of the model.",
     (Remedy("Choose sizes that the model takes: a table of positions, for instance, has a fixed length, and a window needs enough samples."),)),
    (r"I\w+Layer (?P<node>\S+?)(?:_OutputLayer)?: Must have inputs with equal ranks.*?Dimensions are (?P<one>\[[^\]]*\]) and (?P<other>\[[^\]]*\])", "parse.shape",
     "The branches of an If give tensors of different rank", "'{node}' gives {one} in one branch and {other} in the other; TensorRT needs the same number of dimensions.",
     (Remedy("Reshape or unsqueeze inside one branch, so that both give the same number of dimensions."), Remedy("If the condition never changes, make it a constant: TensorRT then takes the one branch."))),
    (r"(?:Tensor|tensor) (?P<tensor>\S+) has (?P<count>\d+) elements which exceeds the maximum supported element count of (?P<limit>\d+)", "parse.shape",
     "A tensor is larger than TensorRT takes", "'{tensor}' has {count} elements, TensorRT's limit is {limit}.",
     (Remedy("Check the sizes in the model; such a number is most often a mistake or damage."), _SMALLER_SHAPES)),
    (r"Tensor (?P<tensor>\S+) has datatype (?P<type>\S+) but is not (?P<how>produced|consumed) by", "parse.dtype",
     "A narrow type stands where TensorRT does not take it", "'{tensor}' is {type}, which must be {how} by a quantize, dequantize or constant operation, not by a Cast.",
     (Remedy("Use QuantizeLinear and DequantizeLinear around this tensor instead of Cast."),)),
    (r"IDequantizeLayer (?P<node>.+?) has `(?P<what>\w+)` which is not an initializer", "parse.datadependent",
     "A quantization parameter must be a constant", "The {what} of '{node}' is computed or an input; TensorRT needs it as an initializer.",
     (Remedy("Write the value into the model as an initializer (fold constants, or export with fixed ranges)."),)),
    (r"must have at least one output", "parse.invalid_model", "The network has no outputs", "", (Remedy("Check that the model file is complete and has outputs."),)),
    (r"Requested size was (?P<bytes>\d+) bytes|OutOfMemory|out of memory|bad_alloc", "build.out_of_memory", "TensorRT ran out of memory",
     "", (Remedy("Make the largest shapes of the profile smaller."), Remedy("Close what else uses the memory, or build on a larger machine."))),
    (r"cannot run on this GPU|target_sm|Unsupported SM|unsupported compute capability|not supported on this GPU", "env.unsupported_gpu", "This TensorRT does not support that GPU", "",
     (Remedy("Choose another target, or a TensorRT release that still (or already) supports this GPU."),)),
    (r"Unable to load library: (?P<library>\S+?):", "env.library_missing", "A library of TensorRT is missing", "TensorRT needs {library}, which this installation does not have.",
     (Remedy("Leave out the option that needs it, or install the full TensorRT."),)),
    (r"Could not find any implementation for node (?P<node>.+?)\.|has no runners that implement it|not supported by a dedicated kernel", "build.no_implementation",
     "TensorRT has no implementation for a node", "",
     (Remedy("Try another precision for this node (Attention for instance builds in FP16 only)."), Remedy("Allow more workspace, if the plan limits it."))),
    (r"Cannot compile for target\(s\) (?P<target>\S+), because the model contains HW-specific datatypes: (?P<type>\w+)", "build.no_implementation",
     "A target does not have a type of the model", "{target} has no {type} (Myelin's name of the type: b16 is bfloat16).",
     (Remedy("Leave that target out, or convert the model to a type that all targets have (FP16 or FP32)."),)),
    (r"Cannot compile operation '(?P<node>[^']+)' for Turing \(SM75\)|for Turing \(SM75\)", "build.no_implementation", "An operation cannot be compiled for Turing (SM75)", "",
     (Remedy("Leave SM75 out of the targets, or convert the model to FP16."),)),
    (r"k(?P<bound>MIN|OPT|MAX) values for profile (?P<profile>\d+) violate shape constraints: (?P<reason>.+?)(?: In \S+ at |$)", "config.profile_range",
     "The model does not work at a size that the profile allows", "At the {bound} sizes of profile {profile}: {reason} That is a limit of the model.", (_SMALLER_SHAPES,)),
    (r"Error Code \d+: Myelin|MyelinCheckException", "build.myelin_internal", "TensorRT's compiler (Myelin) failed", "",
     (Remedy("Try another optimization level or TensorRT release."), Remedy("Cut the model to the smallest part that still fails and report it to NVIDIA."))),
    (r"cudaError 35|driver version is insufficient|no CUDA-capable device", "env.no_gpu", "This needs an NVIDIA GPU and driver", "TensorRT asked CUDA for a GPU, and there is no driver, or one that is too old.",
     (Remedy("Build for a named target instead of the GPU that is here, or use a machine with a GPU."),)),
    (r"Error Code \d+: Internal Error|Assertion .+? failed", "build.internal_error", "TensorRT met a fault of its own", "",
     (Remedy("Look at the findings of the check step first: a model that is invalid can lead here."), Remedy("Try another release, or write this part of the model differently, and report it to NVIDIA."))),
)  # fmt: skip


def diagnose_ending(ending: Ending, *, step: str, last_message: str) -> Diagnosis:
    """Return the diagnosis of a worker that ended during a step."""
    identifier, title, remedies = _ENDINGS.get(ending.kind, _ENDINGS["exit"])
    if ending.kind == "crash" and step in _STEPS_WITHOUT_TENSORRT:
        title, remedies = _STEPS_WITHOUT_TENSORRT[step], remedies[:1]
    causes = (Cause("The last thing TensorRT logged before it.", last_message),) if last_message else ()
    return Diagnosis(
        identifier,
        title,
        place=Place(step),
        why=f"{ending.text} The notebook's kernel was not affected, and the next build starts a new process.",
        causes=causes,
        remedies=tuple(Remedy(text) for text in remedies),
        tensorrt_code=ending.signal_name,
        original=ending.last_output,
        sure=ending.kind not in ("killed", "exit"),
    )


_STEPS_WITHOUT_TENSORRT = {"load": "Reading the model crashed", "check": "Checking the model crashed"}
_SMALLER = "Make the largest shapes of the profile smaller, or build on a machine with more memory."
_ENDINGS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "crash": ("worker.crash", "TensorRT crashed", ("Look at the findings of the check step: an invalid model can lead here.", "Run the step again; if it crashes again, the model or this release is at fault.", "Try another TensorRT release, and report the model to NVIDIA.")),
    "killed": ("worker.killed", "The build process was killed", ("If memory was short: " + _SMALLER, "Run the step again.")),
    "out_of_memory": ("build.out_of_memory", "Memory ran out", (_SMALLER,)),
    "memory_limit": ("build.out_of_memory", "The build ran into its memory limit", ("Raise the limit of the worker's memory.", _SMALLER)),
    "time_limit": ("worker.time_limit", "The step took longer than its time limit", ("Raise the time limit: a large model can take many minutes.", "Lower the optimization level for a faster build.")),
    "damaged": ("worker.damaged", "The build process sent something that cannot be understood", ("Run the step again.", "If it happens again, please report it with the details below.")),
    "exit": ("worker.exit", "The build process ended by itself", ("Look at its last output below.",)),
    "closed": ("worker.closed", "The build process was closed", ("Run the step again.",)),
}  # fmt: skip


def diagnose_file_error(error: OSError, *, step: str, path: str) -> Diagnosis:
    """Return the diagnosis of a file that could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        title, identifier, remedy = "The disk is full", "file.disk_full", "Free space there, or save to another folder."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        title, identifier, remedy = (
            "The folder cannot be written to",
            "file.not_writable",
            "Save to a folder that you may write to.",
        )
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        title, identifier, remedy = (
            "There is no such folder",
            "file.no_folder",
            "Create the folder, or save to another one.",
        )
    else:
        title, identifier, remedy = (
            "The file could not be written",
            "file.failed",
            "Look at the reason, or save to another folder.",
        )
    why = f"{path}: {error.strerror or error}. Nothing was left half-written."
    return Diagnosis(identifier, title, place=Place(step), why=why, remedies=(Remedy(remedy),), original=str(error))
