"""What is cut out of a model computes the values that the model has there, and stands alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.inliner
import onnxruntime
import pytest

from tests import models
from tests.support.hostile_models import (
    SHAPE,
    external_weights,
    functions_in_functions,
    large_weights,
    own_circle,
    weights_among_inputs,
)
from tests.support.joined_models import CUSTOM, joined_model
from trtlab._errors import InputError, OutputExistsError
from trtlab.model.reading import ModelFile
from trtlab.model.working_copy import WorkingCopy
from trtlab.support.cutting import cut_model, positions_of
from trtlab.support.reduction import cut_in, output_path
from trtlab.support.session import SurveySession

Values = dict[str, np.ndarray[Any, Any]]


def copy_of(proto: onnx.ModelProto, folder: Path) -> WorkingCopy:
    return WorkingCopy(ModelFile(models.save(proto, folder / "model.onnx")))


def cut(copy: WorkingCopy, numbers: list[int], folder: Path) -> onnx.ModelProto:
    model = cut_model(copy, positions_of(copy, numbers), {}, folder)
    onnx.checker.check_model(model)
    return model


def computed(model: onnx.ModelProto, values: Values) -> Values:
    """Compute a model with ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    return dict(
        zip(names, session.run(names, {item.name: values[item.name] for item in session.get_inputs()}), strict=True)
    )


def drawn(model: onnx.ModelProto, seed: int) -> Values:
    """Return random values for the inputs of a model."""
    generator = np.random.default_rng(seed)
    weights = {tensor.name for tensor in model.graph.initializer}
    found: Values = {}
    for value in model.graph.input:
        if value.name in weights:
            continue
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        shape = [size.dim_value or 3 for size in value.type.tensor_type.shape.dim]
        numbers = generator.standard_normal(shape)
        found[value.name] = np.asarray(numbers > 0 if dtype.kind == "b" else numbers).astype(dtype)
    return found


def all_values(proto: onnx.ModelProto, values: Values) -> Values:
    """Return the values of every tensor of the main graph, functions put in place."""
    model = onnx.inliner.inline_local_functions(proto)
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name)
        for node in model.graph.node
        for name in node.output
        if name and name not in known
    )
    return {**computed(model, values), **values}


def check_same(proto: onnx.ModelProto, part: onnx.ModelProto, seed: int = 0) -> None:
    """Fail if a part, given what it reads, does not make what the model has there."""
    expected = all_values(proto, drawn(proto, seed))
    made = computed(part, expected)
    assert made
    for name, value in made.items():
        assert value.shape == expected[name].shape
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("seed", range(12))
def test_any_nodes_of_a_model_compute_what_they_compute_in_it(seed: int, tmp_path: Path) -> None:
    proto, _ = joined_model(seed, 0, good=8)
    copy = copy_of(proto, tmp_path)
    chooser = random.Random(seed)
    for _ in range(4):
        chosen = sorted(chooser.sample(range(len(proto.graph.node)), chooser.randint(1, len(proto.graph.node))))
        part = cut(copy, chosen, tmp_path)
        names = {node.name for node in part.graph.node}
        assert {proto.graph.node[number].name for number in chosen} <= names
        check_same(proto, part, seed)


def test_outputs_have_the_names_that_they_have_in_the_model(tmp_path: Path) -> None:
    proto = models.convolution()
    part = cut(copy_of(proto, tmp_path), [1, 2], tmp_path)
    assert [node.name for node in part.graph.node] == ["relu", "pool"]
    assert [value.name for value in part.graph.input] == ["c"]
    assert [value.name for value in part.graph.output] == ["p"]
    assert part.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_node_in_a_branch_brings_the_node_that_holds_it(tmp_path: Path) -> None:
    then = [models.node("Relu", ["x"], ["t"], "then")]
    proto = models.branches(then, [models.node("Sin", ["x"], ["e"], "else")])
    proto.graph.output[0].type.CopyFrom(models.value("y", None).type)
    part = cut(copy_of(proto, tmp_path), [1], tmp_path)
    assert [node.name for node in part.graph.node] == ["choice"]
    check_same(proto, part)


def test_a_node_of_a_function_is_cut_out_at_each_of_its_calls(tmp_path: Path) -> None:
    proto = functions_in_functions()
    copy = copy_of(proto, tmp_path)
    number = next(number for number, name in enumerate(copy.names) if name == "relu")
    part = cut(copy, [number], tmp_path)
    assert [node.op_type for node in part.graph.node] == ["Relu", "Relu"]
    onnx.checker.check_model(part, full_check=True)


def test_weights_of_megabytes_come_along_whole(tmp_path: Path) -> None:
    proto = large_weights()
    copy = copy_of(proto, tmp_path)
    numbers = [number for number, name in enumerate(copy.names) if name in ("constant", "product", "sum", "choice")]
    part = cut(copy, numbers, tmp_path)
    assert len(part.SerializeToString()) > 15 << 20
    check_same(proto, part)


def test_weights_in_other_files_come_inside(tmp_path: Path) -> None:
    path = external_weights(tmp_path)
    copy = WorkingCopy(ModelFile(path))
    part = cut(copy, [0, 1], tmp_path)
    assert [tensor.data_location for tensor in part.graph.initializer] == [0, 0]
    assert not any(tensor.external_data for tensor in part.graph.initializer)
    check_same(onnx.load(path), part)


def test_initializers_that_are_inputs_too_stay_weights(tmp_path: Path) -> None:
    part = cut(copy_of(weights_among_inputs(), tmp_path), [0], tmp_path)
    assert [value.name for value in part.graph.input] == ["x"]
    assert [tensor.name for tensor in part.graph.initializer] == ["w"]


def test_what_nobody_knows_cannot_become_an_input(tmp_path: Path) -> None:
    nodes = [
        models.node("Gate", ["x"], ["g"], "gate", domain=CUSTOM),
        models.node("Relu", ["g"], ["y"], "relu"),
    ]
    proto = models.model(nodes, [models.value("x", SHAPE)], [models.value("y", SHAPE)], opsets={"": 17, CUSTOM: 1})
    copy = copy_of(proto, tmp_path)
    with pytest.raises(InputError, match="'g' would become an input"):
        cut_model(copy, positions_of(copy, [1]), {}, tmp_path)


@pytest.mark.parametrize("number", [-1, 99])
def test_a_number_that_is_no_node_is_refused(number: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"Node {number}"):
        positions_of(copy_of(models.relu(), tmp_path), [0, number])


def test_a_node_that_feeds_itself_cannot_be_cut_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="feeds itself"):
        positions_of(copy_of(own_circle(), tmp_path), [0])


def test_through_the_worker_a_part_is_saved_and_described(tmp_path: Path) -> None:
    proto = models.convolution()
    with SurveySession(proto) as session:
        found = cut_in(session, [0, 1], tmp_path / "part.onnx")
        with pytest.raises(OutputExistsError, match="is there already"):
            cut_in(session, [2], tmp_path / "part.onnx")
    assert found.node_count == 2
    assert found.file_bytes == (tmp_path / "part.onnx").stat().st_size
    assert [item.name for item in found.inputs] == ["x"]
    assert [item.name for item in found.outputs] == ["r"]
    assert "saved as" in repr(found)
    check_same(proto, onnx.load(tmp_path / "part.onnx"))
    assert [item.name for item in tmp_path.iterdir()] == ["part.onnx"]


def test_the_name_of_the_file_is_made_from_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SurveySession(models.save(models.relu(), tmp_path / "net.onnx")) as session:
        model = session.load()
    assert output_path(None, model, "node3") == tmp_path / "net_node3.onnx"
    assert output_path("small", model, "node3") == tmp_path / "small.onnx"
    with pytest.raises(OutputExistsError):
        output_path("net.onnx", model, "node3")
