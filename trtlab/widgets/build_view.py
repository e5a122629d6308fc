"""What the build panel shows, as plain data made from results. See CONTRACT.md for its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trtlab._engine_results import ParseResult
from trtlab._format import format_bytes, format_seconds, plural, shorten_middle
from trtlab.build.progress import Progress
from trtlab.build.report import BuildReport
from trtlab.build.steps import STEP_EXPLANATIONS, StepRecord
from trtlab.model.description import ModelDescription
from trtlab.plots.memory import memory_parts
from trtlab.widgets.diagnosis_cards import diagnosis_card, finding_card, plain_card

_SHOWN_FINDINGS = 50
_SHOWN_DIAGNOSES = 20


def headline(
    steps: Sequence[StepRecord], report: BuildReport | None, model: ModelDescription | None, *, chosen: str
) -> dict[str, str]:
    """Return the line at the top: what came out, where it stopped and why, or what to do next."""
    running = next((step for step in steps if step.state == "running"), None)
    if running is not None:
        return {"state": "running", "text": f"{running.name.capitalize()} is running"}
    stopped = next((step for step in steps if step.state in ("failed", "cancelled")), None)
    if stopped is not None:
        return {"state": stopped.state, "text": _stopped(stopped)}
    if report is not None and report.ok:
        return {"state": "done", "text": report.headline}
    if not chosen:
        return {"state": "waiting", "text": "Choose a model to build."}
    done = sum(step.state in ("done", "skipped") for step in steps)
    waiting = next((step.name for step in steps if step.state == "waiting"), "")
    if model is None:
        return {"state": "waiting", "text": f"Next: {waiting}."}
    return {
        "state": "waiting",
        "text": f"{plural(done, 'step')} done. Next: {waiting}. Run all builds the engine in one go.",
    }


def _stopped(step: StepRecord) -> str:
    after = f" after {format_seconds(step.seconds)}" if step.seconds is not None else ""
    if step.state == "cancelled":
        return f"{step.name.capitalize()} was cancelled{after}. Run it again when you want it."
    first = step.diagnoses[0] if step.diagnoses else None
    more = (
        f" (and {plural(len(step.diagnoses) - 1, 'more problem', 'more problems')})" if len(step.diagnoses) > 1 else ""
    )
    if first is None:
        return f"{step.name.capitalize()} failed{after}: {step.line}"
    name = first.place.node or first.place.tensor
    places = [line for line in first.place.lines() if not line.startswith("step ")]
    at = f" at {', '.join(places)}" if places and name not in first.title else ""
    return f"{step.name.capitalize()} failed{after}{at}: {first.title}{more}"


def model_lines(model: ModelDescription, name: str) -> list[str]:
    """Return what is in the model, under the name of its file."""
    first, *others = repr(model).splitlines()
    return [first.replace("ModelDescription", shorten_middle(name), 1), *(line.strip() for line in others)]


def step_rows(
    steps: Sequence[StepRecord], *, busy: bool, log_ranges: Mapping[str, tuple[int, int]] | None = None
) -> list[dict[str, Any]]:
    """Return one row a step."""
    rows = []
    for position, step in enumerate(steps):
        reached = all(earlier.state in ("done", "skipped") for earlier in steps[:position])
        can_rerun = reached and not busy and step.state != "waiting"
        reason = (
            ""
            if can_rerun
            else "A step is running."
            if busy
            else "This step has not run yet."
            if reached
            else "An earlier step has to run first."
        )
        rows.append({
            "name": step.name, "title": step.name.capitalize(), "explain": STEP_EXPLANATIONS[step.name], "state": step.state,
            "from_cache": step.from_cache, "started": step.started, "seconds": step.seconds, "line": step.line,
            "rerun": {"enabled": can_rerun, "reason": reason}, "details": step_details(step),
            "cards": step_cards(step), "log_range": list((log_ranges or {}).get(step.name, ())) or None,
        })  # fmt: skip
    return rows


def step_details(step: StepRecord) -> list[str]:
    """Return more lines about a step's result."""
    if isinstance(step.result, ParseResult):
        installation = step.result.installation
        lines = [repr(installation).removeprefix("Installation: ")]
        lines += [f"Not offered: {limitation}" for limitation in installation.limitations]
        lines += [f"Network input {t.name}: {t.dtype} {list(t.shape)}" for t in step.result.inputs[:20]]
        return lines + [f"Network output {t.name}: {t.dtype} {list(t.shape)}" for t in step.result.outputs[:20]]
    if isinstance(step.result, ModelDescription):
        model = step.result
        operators = ", ".join(f"{count} {name}" for name, count in list(model.operators.items())[:12])
        lines = [f"Input {tensor!r}" for tensor in model.inputs[:20]] + [
            f"Output {tensor!r}" for tensor in model.outputs[:20]
        ]
        lines += [f"Operators: {operators or 'none'}"]
        lines += [
            f"Weights outside: {file.location} ({format_bytes(file.bytes)})" for file in model.external_files[:20]
        ]
        return lines
    return []


def step_cards(step: StepRecord) -> list[dict[str, Any]]:
    """Return the cards of a step: why it failed, or what the check found."""
    cards = [diagnosis_card(diagnosis) for diagnosis in step.diagnoses[:_SHOWN_DIAGNOSES]]
    findings = step.result if step.name == "check" and isinstance(step.result, tuple) else ()
    cards += [finding_card(finding) for finding in findings[:_SHOWN_FINDINGS]]
    left = max(len(step.diagnoses) - _SHOWN_DIAGNOSES, 0) + max(len(findings) - _SHOWN_FINDINGS, 0)
    if left:
        cards.append(plain_card("info", f"{left} more are in the report", why="panel.report() has all of them."))
    return cards


def progress_view(progress: Progress | None) -> dict[str, Any] | None:
    """Return what TensorRT is doing now; its own counts, never a percentage of the whole."""
    if progress is None:
        return None
    counted = [phase for phase in progress.phases if phase.total > 1]
    innermost = counted[-1] if counted else None
    return {
        "step": progress.step, "phase": progress.phase_text, "done": innermost.done if innermost else 0,
        "total": innermost.total if innermost else 0, "started": progress.started, "last_sign": progress.last_sign,
    }  # fmt: skip


def report_view(report: BuildReport) -> dict[str, Any]:
    """Return the build for the panel's Engine and Python tabs; until there is an engine, only its script."""
    if not report.ok:
        # The plan as Python is there as soon as there is a model to build.
        return {"script": report.script()} if report.model else {}
    rows = [
        {"index": index, "name": layer.name, "type": layer.type, "onnx_nodes": list(layer.onnx_nodes),
         "inputs": ", ".join(layer.inputs), "outputs": ", ".join(layer.outputs)}
        for index, layer in enumerate(report.layers)
    ]  # fmt: skip
    source = report.layers_note or f"From the {report.layers_source}."
    engine = report.engine
    parts = memory_parts(report.memory) if report.memory else []
    return {
        "headline": report.headline,
        "engine": {"path": engine.path, "bytes": engine.bytes, "text": format_bytes(engine.bytes)}
        if engine
        else {"path": "", "bytes": 0, "text": ""},
        "from_cache": report.from_cache,
        "layers": {"source": source, "rows": rows},
        "memory": [
            {"label": label, "bytes": size, "text": format_bytes(size), "note": note} for label, size, note in parts
        ],
        "warnings": [
            {
                "severity": "warning" if group.severity == "warning" else "error",
                "count": group.count,
                "text": group.text,
            }
            for group in report.warnings
        ],
        "script": report.script(),
    }
