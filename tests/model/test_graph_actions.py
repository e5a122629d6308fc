"""What the worker does for the graph panel: through a real worker, and over ONNX's own node tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import models
from trtlab._errors import InputError
from trtlab._results import from_dict
from trtlab.model.arithmetic import Arithmetic, estimate_arithmetic
from trtlab.model.graph_document import GraphDocument, collect_graph
from trtlab.model.node_details import NodeDetails, NodeLookup
from trtlab.model.reading import ModelFile
from trtlab.model.walk import scopes
from trtlab.worker import shared_pool

FEWEST_NODE_TESTS = 1000  # onnx 1.17 has more already
ACTIONS = "trtlab.model.graph_actions"


def test_a_worker_answers_with_results(tmp_path: Path) -> None:
    """Graph, details and arithmetic come over the pipe; another model is not answered with what was known of the first."""
    first = models.save(models.convolution(), tmp_path / "first.onnx")
    second = models.save(models.chain(3), tmp_path / "second.onnx")
    worker = shared_pool().acquire()
    try:
        worker.call("trtlab.model.actions:load", {"path": str(first)})
        document = from_dict(GraphDocument, worker.call(f"{ACTIONS}:graph", {}))
        details = from_dict(NodeDetails, worker.call(f"{ACTIONS}:node_details", {"number": 0}))
        arithmetic = from_dict(Arithmetic, worker.call(f"{ACTIONS}:arithmetic", {"sizes": {"batch": 2}}))
        with pytest.raises(InputError, match="4 nodes"):
            worker.call(f"{ACTIONS}:node_details", {"number": 4})
        worker.call("trtlab.model.actions:load", {"path": str(second)})
        other = from_dict(NodeDetails, worker.call(f"{ACTIONS}:node_details", {"number": 0}))
    finally:
        shared_pool().release(worker)
    assert document == collect_graph(ModelFile(first))
    assert (details.title, other.title) == ("conv", "relu_0")
    assert arithmetic.operations[0] == 2 * 4 * 64 * 27


@pytest.mark.filterwarnings("ignore")  # onnx makes some of its cases with operations that numpy warns of
def test_onnx_node_tests(tmp_path: Path) -> None:
    """Over many models: numbers lead to their nodes, makers and readers agree with the edges, holders hold graphs."""
    from onnx.backend.test.case.node import collect_testcases

    protos = [case.model for case in collect_testcases(None) if case.model is not None and case.model.graph.node]
    assert len(protos) > FEWEST_NODE_TESTS
    # All with graphs inside their nodes or functions, and every fifth of the others.
    chosen = [proto for place, proto in enumerate(protos) if place % 5 == 0 or len(list(scopes(proto))) > 1]
    holders: set[str] = set()
    counted = 0
    for proto in chosen:
        file = ModelFile(models.save(proto, tmp_path / "model.onnx"))
        document, lookup, arithmetic = collect_graph(file), NodeLookup(file), estimate_arithmetic(file)
        assert len(arithmetic.operations) == len(document.node_names), proto.graph.name
        counted += all(item is not None for item in arithmetic.operations)
        edges = set(zip(document.edge_from, document.edge_to, strict=True))
        for number in range(len(document.node_names)):
            details = lookup.details(number)
            reference = document.reference(number)
            assert document.number(reference) == number, proto.graph.name
            assert (details.index, details.operator, details.scope) == (
                reference.index,
                reference.op_type,
                reference.scope,
            )
            scope = document.scope_of(number)
            made = {
                item.made_by
                for item in details.inputs
                if item.made_by >= 0 and document.scope_of(item.made_by) == scope
            }
            assert made == {begin for begin, end in edges if end == number and begin >= 0}, proto.graph.name
            read = {reader for item in details.outputs for reader in item.read_by}
            assert read == {end for begin, end in edges if begin == number and end >= 0}, proto.graph.name
        holders |= {
            document.operators[document.node_operators[item.holder]]
            for item in document.scopes
            if item.kind == "subgraph"
        }
    assert holders >= {"If", "Loop", "Scan", "SequenceMap"}
    assert counted > len(chosen) / 2
