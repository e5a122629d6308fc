"""What the kernel would send, made by hand: one function for each situation that a panel can show."""

from __future__ import annotations

import copy
from typing import Any

Data = dict[str, Any]

STARTED = 1_790_000_000.0
LONG_NAME = (
    "model/encoder/" + "/".join(f"layers_{number}/attention/projection" for number in range(6)) + "/MatMul_output_0"
)

_STEPS = {
    "load": "Reads the file, its inputs and outputs, and the weights beside it.",
    "check": "Checks the model against the ONNX standard and infers its shapes. Findings do not stop the build.",
    "parse": "TensorRT's own ONNX parser turns the model into a network.",
    "configure": "Checks the plan (shapes, targets, limits) and hands it to TensorRT.",
    "build": "TensorRT's builder compiles the network into an engine. This is the step that can take minutes.",
    "save": "Writes the engine and a note of what it was built from.",
    "inspect": "Lists the engine's layers with the ONNX nodes that each one computes, and its memory.",
}


def step(name: str, state: str = "waiting", **changes: Any) -> Data:
    """Return one step."""
    over = state in ("done", "failed", "cancelled")
    return {
        "name": name, "title": name.capitalize(), "explain": _STEPS[name], "state": state, "from_cache": False,
        "started": STARTED if over or state == "running" else None, "seconds": 0.412 if over else None, "line": "",
        "rerun": {"enabled": over, "reason": "" if over else "This step has not run yet."},
        "details": [], "cards": [], "log_range": None, **changes,
    }  # fmt: skip


def card(**changes: Any) -> Data:
    """Return a diagnosis with everything in it."""
    return {
        "state": "error", "title": "TensorRT has no importer for this form of Resize", "code": "UNSUPPORTED_NODE",
        "id": "parse.unsupported_node", "where": ["node 'resize_3' (Resize), number 87 of 412", "tensor 'up3_out'"],
        "why": "Mode 'cubic' with antialias = 1; TensorRT-RTX 1.7.1 takes 'cubic' only without antialias.",
        "do": [
            {"text": "Switch antialias off in this node. The output changes by less than 0.4 % on natural images.",
             "code": 'trtlab.repair("segmenter.onnx")'},
            {"text": "Resize before the model, and feed it the resized picture.", "code": ""},
            {"text": "Export again with mode 'linear'.",
             "code": "torch.nn.functional.interpolate(x, scale_factor=2, mode='bilinear')"},
        ],
        "more": [
            {"title": "The original message",
             "text": "In node 87 with name: resize_3 and operator: Resize (importResize): UNSUPPORTED_NODE: Assertion failed: "
                     "!antialias: TensorRT does not support antialias."},
            {"title": "How sure", "text": "The parser named the node and the attribute. There is no doubt."},
        ],
        **changes,
    }  # fmt: skip


def row(tensor: str, axis: int, dimension: str, sizes: tuple[int, int, int], **changes: Any) -> Data:
    """Return one dynamic dimension."""
    low, usual, high = sizes
    return {
        "tensor": tensor, "dtype": "float32", "axis": axis, "dimension": dimension, "shape": "batch x 3 x height x width",
        "min": low, "opt": usual, "max": high, "problem": "", "note": "proposed: a batch is usually 1 to 16", **changes,
    }  # fmt: skip


def option(identifier: str, label: str, kind: str, value: Any, **changes: Any) -> Data:
    """Return one option."""
    return {
        "id": identifier, "label": label, "kind": kind, "value": value, "choices": [], "enabled": True, "reason": "",
        "help": "", "problem": "", **changes,
    }  # fmt: skip


def _choices(**labels: str) -> list[Data]:
    return [{"value": value, "label": label} for value, label in labels.items()]


def options() -> list[Data]:
    """Return one option of every kind, and one that can't be used."""
    targets = [{"value": f"sm{name}", "label": f"SM{name}"} for name in (75, 80, 86, 89, 90, 100, 120)]
    typed = "TensorRT-RTX is strongly typed: precision is in the model, not in the builder."
    return [
        option("flavour", "TensorRT", "choice", "tensorrt_rtx", help="Which TensorRT builds.",
               choices=_choices(tensorrt="TensorRT", tensorrt_rtx="TensorRT-RTX")),
        option("targets", "Target GPUs", "several", ["sm86", "sm89"], choices=targets,
               help="Compute capabilities the engine is compiled for. None chosen: TensorRT's default."),
        option("level", "Optimization level", "integer", 3, help="0 builds fastest, 5 searches longest for a faster engine."),
        option("workspace", "Workspace limit", "bytes", 1 << 30,
               help="Scratch memory a layer may use. Empty: no limit but the GPU's memory."),
        option("precision", "Lower precisions", "several", [], enabled=False, reason=typed,
               choices=_choices(fp16="FP16", bf16="BF16", int8="INT8")),
        option("timing_cache", "Timing cache", "text", "", enabled=False,
               reason="TensorRT-RTX tunes on the user's machine, not while it builds."),
        option("version_compatible", "Version compatible", "flag", value=True,
               help="An engine that newer TensorRT releases can load."),
    ]  # fmt: skip


def nothing_chosen() -> Data:
    """Return the first view of all."""
    reason = "Choose a model first."
    return {
        "headline": {"state": "waiting", "text": "Choose a model to build."},
        "models": [{"value": name, "label": name} for name in ("segmenter.onnx", "convnet.onnx", "transformer.onnx")],
        "model": "", "model_lines": [], "flavour": "TensorRT-RTX 1.7.1.116", "busy": False,
        "buttons": {
            "next": {"enabled": False, "label": "Next: load", "reason": reason},
            "run_all": {"enabled": False, "label": "Run all", "reason": reason},
            "cancel": {"enabled": False, "label": "Cancel", "reason": "Nothing is running."},
        },
        "steps": [step(name) for name in _STEPS], "progress": None, "profiles": [],
        "profiles_note": "Choose a model to see its dynamic dimensions.", "options": options(), "problems": [],
        "output": {"path": "", "problem": ""}, "ask": None, "log": {"total": 0, "first": 0, "counts": {}, "steps": []},
    }  # fmt: skip


def chosen() -> Data:
    """Return a model with three dynamic dimensions, loaded, and nothing else done."""
    view = nothing_chosen()
    view.update(
        headline={"state": "waiting", "text": "1 step done. Next: check. Run all builds the engine in one go."},
        model="segmenter.onnx",
        model_lines=["segmenter.onnx: 412 nodes, opset 17, 28.4 MiB of weights",
                     "inputs: image: float32 [batch x 3 x height x width]", "outputs: mask: float32 [batch x 1 x height x width]"],
        profiles=[{"rows": [
            row("image", 0, "batch", (1, 4, 16)),
            row("image", 2, "height", (256, 512, 1024), note="proposed: from the exporter's example, 512, halved and doubled"),
            row("image", 3, "width", (256, 512, 1024), note="proposed: from the exporter's example, 512, halved and doubled"),
        ]}],
        profiles_note="",
    )  # fmt: skip
    view["steps"][0] = step("load", "done", seconds=0.0312, line="412 nodes, opset 17, 28.4 MiB of weights")
    view["buttons"].update(
        next={"enabled": True, "label": "Next: check", "reason": ""},
        run_all={"enabled": True, "label": "Run all", "reason": ""},
    )
    return view


def running() -> Data:
    """Return a build at work."""
    view = chosen()
    view.update(
        headline={"state": "running", "text": "Build is running"}, busy=True,
        progress={"step": "build", "phase": "Tactic selection: /encoder/stage3/block5/conv2/Conv + Relu", "done": 132,
                  "total": 411, "started": STARTED, "last_sign": STARTED + 1},
        log={"total": 8231, "first": 0, "counts": {"error": 0, "warning": 3, "info": 412, "verbose": 7816, "output": 0}, "steps": []},
    )  # fmt: skip
    view["steps"][1] = step(
        "check", "done", seconds=0.0871, line="No findings", details=["Shapes of all 498 tensors inferred."]
    )
    view["steps"][2] = step("parse", "done", seconds=1.24, line="All 412 nodes taken", log_range=[0, 630])
    view["steps"][3] = step("configure", "done", seconds=0.00312, line="1 profile, targets SM86 and SM89")
    view["steps"][4] = step("build", "running", line="Tactic selection, 132 of 411")
    busy = {"enabled": False, "reason": "A step is running."}
    view["buttons"] = {
        "next": {**busy, "label": "Next: save"}, "run_all": {**busy, "label": "Run all"},
        "cancel": {"enabled": True, "label": "Cancel", "reason": ""},
    }  # fmt: skip
    for entry in view["steps"]:
        entry["rerun"] = {"enabled": False, "reason": "A step is running."}
    return view


def done() -> Data:
    """Return the view after a build."""
    view = running()
    headline = "Engine of 31.2 MiB built in 48.7 s: 118 layers, 554 MiB of activations at batch 16"
    view.update(headline={"state": "done", "text": headline}, busy=False, progress=None)
    view["steps"][4] = step("build", "done", seconds=46.2, line="Engine of 31.2 MiB", log_range=[640, 8190])
    view["steps"][5] = step("save", "done", seconds=0.0214, line="engines/segmenter.engine")
    view["steps"][6] = step("inspect", "done", seconds=1.03, line="118 layers from 412 nodes", from_cache=True)
    for entry in view["steps"]:
        entry["rerun"] = {"enabled": True, "reason": ""}
    view["buttons"] = {
        "next": {"enabled": False, "label": "Next", "reason": "All steps are done. Rerun one from its row."},
        "run_all": {"enabled": True, "label": "Run all", "reason": ""},
        "cancel": {"enabled": False, "label": "Cancel", "reason": "Nothing is running."},
    }
    return view


def failed() -> Data:
    """Return the view after the parser refused a node."""
    view = chosen()
    text = "Parse failed after 0.412 s at node 'resize_3' (Resize): mode 'cubic' with antialias (and 1 more problem)"
    view.update(
        headline={"state": "failed", "text": text},
        log={
            "total": 412,
            "first": 0,
            "counts": {"error": 2, "warning": 1, "info": 9, "verbose": 400, "output": 0},
            "steps": [],
        },
    )
    second = card(state="warning", title="INT64 weights are cast to INT32", code="", id="parse.dtype", where=["node 'shape_2' (Shape)"],
                  why="All values fit into INT32.", do=[], more=[])  # fmt: skip
    view["steps"][1] = step("check", "done", seconds=0.0871, line="1 finding")
    view["steps"][2] = step("parse", "failed", line="2 of 412 nodes refused: resize_3 (Resize), resize_4 (Resize)",
                            cards=[card(), second], details=["410 nodes taken, 2 refused."], log_range=[12, 412])  # fmt: skip
    view["buttons"]["next"]["label"] = "Next: parse"
    return view


def plan_problems() -> Data:
    """Return a plan that cannot be built."""
    view = chosen()
    rows = view["profiles"][0]["rows"]
    rows[0].update(min=8, opt=4, max=16, problem="min 8 is larger than opt 4.", note="")
    rows[2].update(max=100_000, problem="height x width x batch of the maximum would be 6.1 TiB for this input alone.")
    view["profiles"].append({"rows": [row("image", 0, "batch", (32, 32, 32), note=""), *copy.deepcopy(rows[1:])]})
    view["problems"] = ["The engine file would be written into the model's own path."]
    view["output"] = {"path": "segmenter.onnx", "problem": "This is the model itself."}
    view["options"][3].update(value="3 parrots", problem="'3 parrots' is no size. Write for instance 512 MiB or 1 GiB.")
    for name in ("next", "run_all"):
        view["buttons"][name].update(enabled=False, reason="Put the 4 problems of the plan right first.")
    return view


def long_names() -> Data:
    """Return a failure in which every name is 200 characters long."""
    view = failed()
    view["models"][0] = {"value": "segmenter.onnx", "label": f"exports/{LONG_NAME}.onnx"}
    view["headline"]["text"] = f"Parse failed after 0.412 s at node '{LONG_NAME}' (Resize): mode 'cubic' with antialias"
    view["profiles"][0]["rows"] = [
        row(LONG_NAME, axis, f"{LONG_NAME}_dim_{axis}", (1, 4, 16), shape=LONG_NAME) for axis in range(2)
    ]
    view["steps"][2].update(line=f"1 of 412 nodes refused: {LONG_NAME}",
                            cards=[card(where=[f"node '{LONG_NAME}' (Resize)"], title=f"No importer for {LONG_NAME}")])  # fmt: skip
    return view


def report(layers: int = 118) -> Data:
    """Return the report of a build."""
    kinds = ("correlation", "Convolution", "PointWise", "Myelin", "Reformat")
    rows = [
        {"index": index, "name": f"conv{index}_myl0_{index + 2}" if index % 7 else LONG_NAME, "type": kinds[index % len(kinds)],
         "onnx_nodes": [f"/encoder/stage{index % 4}/conv{index}/Conv", f"/encoder/stage{index % 4}/relu{index}/Relu"][: 1 + index % 2],
         "inputs": f"act_{index} Float(-1,64,128,128)", "outputs": f"act_{index + 1} Float(-1,64,128,128)"}
        for index in range(layers)
    ]  # fmt: skip
    return {
        "headline": "Engine of 31.2 MiB built in 48.7 s", "from_cache": False,
        "engine": {"path": "engines/segmenter.engine", "bytes": 32_715_571, "text": "31.2 MiB"},
        "layers": {"source": "From the builder's log, at profiling verbosity 'detailed'.", "rows": rows},
        "memory": [
            {"label": "Weights", "bytes": 29_779_558, "text": "28.4 MiB", "note": "once for the engine"},
            {"label": "Activations", "bytes": 581_559_910, "text": "555 MiB",
             "note": "for each execution context, at the profiles' maximum"},
            {"label": "Scratch", "bytes": 8_283_750, "text": "7.90 MiB",
             "note": "part of the context's memory, largest of all layers"},
        ],
        "warnings": [
            {"severity": "warning", "count": 37, "text": "Make sure input image has Int64 binding."},
            {"severity": "error", "count": 1, "text": "Skipping tactic 0x3e8 due to insufficient memory on requested size of 8589934592."},
        ],
        "script": 'import trtlab\n\nreport = trtlab.build(\n    "segmenter.onnx",\n'
                  '    shapes={"image": ((1, 3, 256, 256), (4, 3, 512, 512), (16, 3, 1024, 1024))},\n'
                  '    targets=("sm86", "sm89"),\n    output="engines/segmenter.engine",\n)\nprint(report)\n',
    }  # fmt: skip


def log_records(count: int, *, first: int = 0, message: str = "") -> list[list[Any]]:
    """Return log records as the kernel sends them: mostly verbose lines, some others, one list of layers."""
    texts = {
        0: ("info", "[MemUsageChange] Init CUDA: CPU +13, GPU +0, now: CPU 27, GPU 1012 (MiB)"),
        7: ("warning", "Make sure input image has Int64 binding."),
        501: (
            "error",
            "IBuilder::buildSerializedNetwork: Error Code 10: Could not find any implementation for node resize_3.",
        ),
        250: (
            "verbose",
            "Layers:\n" + "\n".join(f"Name: conv{line}_myl0_{line}, LayerType: correlation" for line in range(40)),
        ),
    }
    records = []
    for sequence in range(first, first + count):
        plain = (
            "verbose",
            f"Tactic: 0x{sequence:016x} Time: {sequence % 97 / 100:.4f} for /encoder/block{sequence % 30}/Conv",
        )
        severity, text = texts.get(sequence % 1000, plain)
        step_name = "parse" if sequence % 10_000 < 600 else "build"
        records.append([sequence, STARTED + sequence / 200, severity, step_name, "TensorRT", message or text])
    return records
