"""The smallest model in which TensorRT still refuses a node, and a cut-out part of a model: to look at, and to share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtlab._errors import InputError
from trtlab._format import format_bytes, plural
from trtlab._results import Result, from_dict
from trtlab.model.description import ModelDescription, TensorDescription
from trtlab.support.session import SurveySession

if TYPE_CHECKING:
    from trtlab.support.report import SupportReport


@dataclass(frozen=True)
class CutModel(Result):
    """A part of a model as a model of its own.

    Attributes:
        path: Where it was saved.
        file_bytes: Its size.
        node_count: Nodes of its main graph.
        inputs: Its inputs; those that were tensors inside the model have their names.
        outputs: Its outputs, under the names that they have in the model, so that values can be compared.
        tensorrt_message: What TensorRT says when it refuses it, in its own words; empty if it was not asked.
    """

    path: str
    file_bytes: int
    node_count: int
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    tensorrt_message: str = ""

    def __repr__(self) -> str:
        lines = [
            f"{type(self).__name__}: {plural(self.node_count, 'node')}, {format_bytes(self.file_bytes)}, saved as {self.path}"
        ]
        lines += [f"    reads {item!r}" for item in self.inputs[:2]] + [
            f"    makes {item!r}" for item in self.outputs[:1]
        ]
        if self.tensorrt_message:
            lines.append(f"    still refused: {' '.join(self.tensorrt_message.split())[:160]}")
        return "\n".join(lines)


class ReducedModel(CutModel):
    """The smallest model in which TensorRT still refuses a node. The refusal was seen on the saved model itself."""


def reduce_model(
    report: SupportReport, node: int | str | None = None, *, output: str | os.PathLike[str] | None = None
) -> ReducedModel:
    """Return the smallest model in which TensorRT still refuses a node of a checked model.

    Args:
        report: The check.
        node: Number or name of the node; None takes the first that is refused.
        output: Where the model is saved; None makes a name from the model's, in the current folder.

    Raises:
        InputError: The node is not refused, or it takes the whole model for TensorRT to refuse it.
        OutputExistsError: The file is there already.
    """
    if node is None:
        if not report.unsupported:
            raise InputError("TensorRT refuses no single node of this model, so there is nothing to reduce it to.")
        node = report.unsupported[0].number
    verdict = report.find(node)
    if verdict.status != "unsupported":
        raise InputError(f"TensorRT does not refuse {verdict.node.label}. `report.unsupported` lists what it refuses.")
    path = output_path(output, report.model, f"node{verdict.number}")
    with SurveySession(report.source, flavour=report.installation.flavour) as session:
        return reduce_in(session, report, verdict.number, path)


def reduce_in(session: SurveySession, report: SupportReport, number: int, path: Path) -> ReducedModel:
    """The same in a session that is at hand."""
    verdict = report.nodes[number]
    found = session.outlive(
        "trtlab.engine.survey_actions:reduce",
        number=number,
        by=verdict.refused_by or "parser",
        flavour=report.installation.flavour,
        path=str(path),
    )
    return from_dict(ReducedModel, found)


def cut_in(session: SurveySession, numbers: list[int], path: Path) -> CutModel:
    """Cut nodes out of the model of a session, and save them as a model."""
    return from_dict(CutModel, session.call("trtlab.support.actions:cut", numbers=numbers, path=str(path)))


def output_path(output: str | os.PathLike[str] | None, model: ModelDescription, what: str) -> Path:
    """Return where a cut-out model goes: an absolute path ending in `.onnx`.

    Raises:
        OutputExistsError: There is a file of that name.
    """
    from trtlab._errors import OutputExistsError

    stem = Path(model.path).stem or "model"
    path = Path(output).expanduser() if output else Path(f"{stem}_{what}.onnx")
    path = path if path.suffix == ".onnx" else path.with_name(f"{path.name}.onnx")
    if path.exists():
        raise OutputExistsError(f"{path} is there already. Give another name, or remove it first.")
    return path.absolute()
