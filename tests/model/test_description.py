"""What `load` says of a model: inputs and outputs as the file has them, and everything counted, nested parts included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests import models
from trtlab._results import from_dict
from trtlab.model.actions import describe, dtype_name
from trtlab.model.description import ModelDescription, NodeReference, TensorDescription
from trtlab.model.reading import ModelFile
from trtlab.model.walk import Scope, names_read, scopes


def described(proto: onnx.ModelProto, folder: Path) -> ModelDescription:
    return describe(ModelFile(models.save(proto, folder / "model.onnx")))


def test_sizes_are_numbers_names_or_unknown(tmp_path: Path) -> None:
    proto = models.relu(("batch", 3, None, 7))
    proto.graph.input[0].type.tensor_type.shape.dim[3].dim_value = -1
    [tensor] = described(proto, tmp_path).inputs
    assert tensor == TensorDescription("x", "float32", ("batch", 3, None, None))
    assert tensor.dynamic_axes == (0, 2, 3)
    assert repr(tensor) == "x: float32 [batch x 3 x ? x ?]"


def test_rank_zero_is_static_and_unknown_rank_is_dynamic(tmp_path: Path) -> None:
    scalar, unknown = models.value("s", ()), models.value("u", None)
    result = described(models.model([models.node("Add", ["s", "u"], ["y"])], [scalar, unknown]), tmp_path)
    assert [tensor.shape for tensor in result.inputs] == [(), None]
    assert [tensor.name for tensor in result.dynamic_inputs] == ["u"]


def test_sequences_and_optionals_are_named_as_such(tmp_path: Path) -> None:
    element = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    values = [
        helper.make_value_info("many", helper.make_sequence_type_proto(element)),
        helper.make_value_info("maybe", helper.make_optional_type_proto(element)),
        helper.make_value_info("nothing", onnx.TypeProto()),
    ]
    result = described(models.model([models.node("SequenceLength", ["many"], ["y"])], values), tmp_path)
    assert [tensor.dtype for tensor in result.inputs] == ["sequence", "optional", "unknown"]


def test_every_onnx_type_has_a_name() -> None:
    names = {name: dtype_name(number) for name, number in TensorProto.DataType.items()}
    assert names["FLOAT"] == "float32"
    assert names["DOUBLE"] == "float64"
    assert names["BFLOAT16"] == "bfloat16"
    assert names["FLOAT8E4M3FN"] == "float8e4m3fn"
    assert names["STRING"] == "string"
    assert dtype_name(4711) == "unknown type 4711"
    assert len(set(names.values())) == len(names)


def test_initializers_are_no_inputs_even_if_listed_as_such(tmp_path: Path) -> None:
    proto = models.convolution()
    proto.graph.input.append(models.value("w", (4, 3, 3, 3)))
    result = described(proto, tmp_path)
    assert [tensor.name for tensor in result.inputs] == ["x"]
    assert result.initializer_count == 1


def test_opsets_of_all_domains(tmp_path: Path) -> None:
    result = described(models.model([models.node("Relu", ["x"], ["y"])], opsets={"ai.onnx": 15, "my.ops": 2}), tmp_path)
    assert result.opsets == {"ai.onnx": 15, "my.ops": 2}
    assert result.opset == 15
    assert described(models.model([models.node("F", ["x"], ["y"])], opsets={"my.ops": 2}), tmp_path).opset is None


def function_model() -> onnx.ModelProto:
    inner = models.branches([models.node("Relu", ["a"], ["t"])], [models.node("Neg", ["a"], ["e"])]).graph.node[0]
    inner.input[0] = "flag"
    imports = [helper.make_opsetid("", 17)]
    function = helper.make_function("local", "Choose", ["a", "flag"], ["y"], [inner], imports)
    call = models.node("Choose", ["x", "condition"], ["y"], "call", domain="local")
    inputs = [models.value("x"), models.value("condition", (), TensorProto.BOOL)]
    return models.model([call], inputs, opsets={"": 17, "local": 1}, functions=[function])


def test_functions_and_their_subgraphs_are_counted(tmp_path: Path) -> None:
    result = described(function_model(), tmp_path)
    assert result.functions == ("local.Choose",)
    assert (result.node_count, result.nested_node_count, result.subgraph_count) == (1, 3, 2)
    assert result.operators == {"local.Choose": 1, "If": 1, "Relu": 1, "Neg": 1}


def test_scope_paths_of_functions() -> None:
    paths = [scope.path for scope in scopes(function_model())]
    # onnx.helper sorts attributes by name.
    assert paths == ["", "local.Choose", "local.Choose/choice/else_branch", "local.Choose/choice/then_branch"]


def nested_control_flow() -> onnx.ModelProto:
    """Return an If whose branch holds a Loop whose body holds a Scan; the Loop has no name."""
    step = models.graph(
        [models.node("Relu", ["row"], ["done"], "inner_relu")],
        [models.value("row", (4,))],
        [models.value("done", (4,))],
    )
    scan = models.node("Scan", ["carried"], ["scanned"], "scan", body=step, num_scan_inputs=1)
    body = models.graph(
        [scan, models.node("Identity", ["go"], ["go_on"])],
        [models.value("i", (), TensorProto.INT64), models.value("go", (), TensorProto.BOOL), models.value("carried")],
        [models.value("go_on", (), TensorProto.BOOL), models.value("scanned")],
    )
    loop = models.node("Loop", ["trips", "", "x"], ["t"], body=body)
    proto = models.branches([loop], [models.node("Neg", ["x"], ["e"], "negate")])
    proto.graph.initializer.append(numpy_helper.from_array(np.array(3, np.int64), "trips"))
    return proto


def test_nested_scopes_have_paths_that_lead_to_them() -> None:
    proto = nested_control_flow()
    onnx.checker.check_model(proto)
    found = {scope.path: scope for scope in scopes(proto)}
    assert list(found) == [
        "",
        "choice/else_branch",
        "choice/then_branch",
        "choice/then_branch/Loop#0/body",
        "choice/then_branch/Loop#0/body/scan/body",
    ]
    innermost = found["choice/then_branch/Loop#0/body/scan/body"]
    assert innermost.depth == 3
    assert innermost.is_visible_around("carried")
    assert innermost.is_visible_around("x")
    assert not innermost.is_visible_around("e"), "the other branch is not around it"


def test_a_node_reads_what_its_subgraphs_take_from_outside() -> None:
    [choice] = nested_control_flow().graph.node
    assert names_read(choice) == {"condition", "x", "trips"}


def test_summary_and_repr(tmp_path: Path) -> None:
    result = described(nested_control_flow(), tmp_path)
    assert result.summary() == "1 node (+5 nested), opset 17, IR 8, weights 8 B"
    assert len(repr(result).splitlines()) <= 5


def test_weights_in_constants_and_branches_count(tmp_path: Path) -> None:
    constant = models.node("Constant", [], ["k"], value=models.weight("", 10, 4))
    proto = models.branches([constant, models.node("Add", ["x", "k"], ["t"])], [models.node("Relu", ["x"], ["e"])])
    proto.graph.initializer.append(models.weight("unused", 5))
    assert described(proto, tmp_path).weights_bytes == 10 * 4 * 4 + 5 * 4


def test_weights_that_only_a_shape_claims_do_not_count(tmp_path: Path) -> None:
    proto = models.relu()
    proto.graph.initializer.append(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**40, 2**40]))
    assert described(proto, tmp_path).weights_bytes == 0


def test_texts_that_nothing_depends_on_may_be_in_any_encoding(tmp_path: Path) -> None:
    content = models.relu().SerializeToString() + b"\x12\x03\xc4\xe3!"  # producer_name, GBK
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert describe(ModelFile(path)).producer == "\ufffd\ufffd!"


@pytest.mark.parametrize("proto", [models.relu(), nested_control_flow(), function_model()])
def test_description_survives_json(proto: onnx.ModelProto, tmp_path: Path) -> None:
    result = described(proto, tmp_path)
    assert from_dict(ModelDescription, result.to_dict()) == result


def test_model_given_as_bytes_has_no_path(tmp_path: Path) -> None:
    file = ModelFile(models.save(models.relu(), tmp_path / "model.onnx"))
    assert describe(file, show_path=False).path == ""
    assert describe(file).path == str(tmp_path / "model.onnx")


def test_a_node_is_called_by_its_name_or_by_its_place() -> None:
    assert NodeReference(3, "conv", "Conv").label == "'conv' (Conv)"
    assert NodeReference(3, "", "Swish", "my", "if0/then_branch").label == "#3 (my.Swish) in if0/then_branch"


def test_nesting_as_deep_as_protobuf_allows(tmp_path: Path) -> None:
    proto = models.relu()
    for _ in range(30):
        proto = models.branches(list(proto.graph.node), [models.node("Neg", ["x"], ["e"])])
    result = described(proto, tmp_path)
    assert result.subgraph_count == 60
    assert max(scope.depth for scope in scopes(proto)) == 30
    assert all(isinstance(scope, Scope) for scope in scopes(proto))
