"""Scripts to check, and what every change of one must keep to."""

from __future__ import annotations

import ast
from textwrap import dedent

from trtlab.explain.code import CodeReport, check_code

# What most scripts begin with: objects of known type, as values of a function's parameters.
OBJECTS = """\
import tensorrt as trt

logger = trt.Logger()
builder = trt.Builder(logger)
config = builder.create_builder_config()
network = builder.create_network()
parser = trt.OnnxParser(network, logger)
engine = trt.Runtime(logger).deserialize_cuda_engine(b"")
context = engine.create_execution_context()
layer = network.add_identity(network.get_input(0))
tensor = layer.get_output(0)
"""


def checked(text: str, release: str = "10.8") -> CodeReport:
    """Check lines that use the objects above."""
    return check_code(OBJECTS + dedent(text), release=release)


def symbols(text: str, release: str = "10.8") -> list[str]:
    """Return the names that are reported, in order."""
    return [finding.symbol for finding in checked(text, release).findings]


def changed(text: str, release: str = "10.8") -> str:
    """Return lines after the mechanical changes; what stands before them must stay as it is."""
    whole = rewritten(OBJECTS + dedent(text), release)
    assert whole.startswith(OBJECTS)
    return whole.removeprefix(OBJECTS)


def rewritten(text: str, release: str = "10.8") -> str:
    """Return a script after the mechanical changes: it is Python, and what was changed is not found in it again."""
    report = check_code(text, release=release)
    if report.changed is None:
        assert not any(finding.mechanical for finding in report.findings)
        return text
    ast.parse(report.changed)
    left = sorted(finding.symbol for finding in report.findings if not finding.mechanical)
    again = check_code(report.changed, release=release)
    assert sorted(finding.symbol for finding in again.findings) == left, report.changed
    assert [finding.symbol for finding in again.guarded] == [finding.symbol for finding in report.guarded]
    return report.changed
