"""Inputs and outputs that TensorRT treats in an unexpected way.

Asked of TensorRT-RTX 1.7.1: where an output of the model is one of its inputs, the engine's input is called `__x` instead of `x`.
Outputs that are initializers build. An input that nothing reads stays in the engine (`... is unused ..., but is not being removed`);
the full TensorRT can drop it. A model without inputs builds.
"""

from __future__ import annotations

from collections.abc import Iterator

from trtlab._format import plural
from trtlab.model.description import Finding
from trtlab.model.walk import names_read
from trtlab.support.findings.model_facts import ModelFacts
from trtlab.support.findings.wording import SEEN, listed, quoted


def graph_end_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return what is unusual about the inputs and outputs of the main graph."""
    graph, main = facts.file.proto.graph, facts.main
    inputs = [value.name for value in facts.inputs]
    outputs = [value.name for value in graph.output]
    both = [name for name in outputs if name in set(inputs)]
    if both:
        text = (
            f"{plural(len(both), 'output')} {'is an input' if len(both) == 1 else 'are inputs'} of the model, given back as "
            f"{'it is' if len(both) == 1 else 'they are'}: {listed(both)}. {SEEN} then calls the engine's input {quoted('__' + both[0])}, "
            f"so that feeding {quoted(both[0])} fails. Put an Identity in front of the output, or leave it out."
        )
        yield Finding("support.output_is_input", "warning", text, tensor=both[0])
    constants = [name for name in outputs if facts.constant(name, main) is not None]
    if constants:
        text = (
            f"{plural(len(constants), 'output')} of the model {'is' if len(constants) == 1 else 'are'} constant: {listed(constants)}. "
            "TensorRT copies the same values in each run. Leave what never changes to the program around the model."
        )
        yield Finding("support.output_is_constant", "info", text, tensor=constants[0])
    unused = _unused(facts, set(outputs))
    if unused:
        text = (
            f"No node reads {plural(len(unused), 'input')}: {listed(unused)}. {SEEN} keeps such an input in the engine, and it must be "
            "given; other releases can drop it, and setting it fails then. Remove it from the model."
        )
        yield Finding("support.unused_input", "info", text, tensor=unused[0])
    if not inputs and graph.node:
        text = (
            "The model has no inputs, so TensorRT can compute all of it while it builds. If it should have some, they were "
            "written into it as constants during the export."
        )
        yield Finding("support.no_input", "info", text)


def _unused(facts: ModelFacts, outputs: set[str]) -> list[str]:
    # A branch can give back a tensor of the graph around it without any node that reads it.
    given_back = {name for index in facts.main.holders for name in names_read(facts.main.nodes[index])}
    known = outputs | given_back
    return [
        value.name for value in facts.inputs if value.name not in known and not facts.read_by(value.name, facts.main)
    ]
