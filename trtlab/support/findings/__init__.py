"""What can be told of a model before TensorRT has parsed it: one module for each kind of finding.

The rules say what one real parser and builder (TensorRT-RTX 1.7.1) did with models made for the purpose; each module's first lines
say with which. They are quick, and tell why and what to do; the verdict is the survey's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trtlab.model.description import Finding
    from trtlab.model.reading import ModelFile

__all__ = ["model_findings"]

_SEVERITIES = ("error", "warning", "info")


def model_findings(file: ModelFile) -> tuple[Finding, ...]:
    """Return what TensorRT is likely to mind in a model that was read, the most severe first. Runs in the worker.

    What breaks the ONNX standard is not repeated here: `trtlab.model.check` finds that.
    """
    from trtlab.support.findings.baked_batch import baked_batch_findings
    from trtlab.support.findings.data_dependent import data_dependent_findings
    from trtlab.support.findings.dimensions import dimension_findings
    from trtlab.support.findings.domains import domain_findings
    from trtlab.support.findings.dtypes import dtype_findings
    from trtlab.support.findings.graph_ends import graph_end_findings
    from trtlab.support.findings.large_constants import large_constant_findings
    from trtlab.support.findings.model_facts import ModelFacts
    from trtlab.support.findings.narrowing import narrowing_findings
    from trtlab.support.findings.quantization import quantization_findings
    from trtlab.support.findings.training import training_findings

    rules = (
        dtype_findings, domain_findings, quantization_findings, training_findings, data_dependent_findings, baked_batch_findings,
        dimension_findings, narrowing_findings, graph_end_findings, large_constant_findings,
    )  # fmt: skip
    facts = ModelFacts(file)
    found = [finding for rule in rules for finding in rule(facts)]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: _SEVERITIES.index(finding.severity)))
