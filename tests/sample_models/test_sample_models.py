"""The catalog says of each sample model what is true, and the healthy models work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.sample_models.samples import CATALOG, HEALTHY, MODELS, SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

README = (SAMPLES / "README.md").read_text(encoding="utf-8")
LARGEST_TOTAL_BYTES = 1_500_000


def run_model(name: str, feeds: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    session = onnxruntime.InferenceSession(str(SAMPLES / name), providers=["CPUExecutionProvider"])
    outputs: list[NDArray[Any]] = session.run(None, feeds)
    return outputs


def random_feeds(inputs: dict[str, dict[str, Any]], which: str) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    feeds = {}
    for name, value in inputs.items():
        low, high = value.get("range", [-1.0, 1.0])
        dtype = np.dtype(value["dtype"])
        if dtype.kind == "i":
            feeds[name] = random.integers(low, high, size=value[which], endpoint=True, dtype=dtype)
        else:
            feeds[name] = random.uniform(low, high, size=value[which]).astype(dtype)
    return feeds


def test_catalog_lists_every_model() -> None:
    on_disk = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.onnx")}
    assert set(MODELS) == on_disk
    assert len(CATALOG["models"]) == len(MODELS), "a model is listed twice"


def test_catalog_entries_are_complete() -> None:
    for name, model in MODELS.items():
        assert (SAMPLES / model["made_by"]).is_file(), name
        assert model["title"], name
        assert model["shows"], name
        assert model["licence"], name
        assert model["expect"]["step"] in {"load", "check", "parse", "build"}, name
        assert (SAMPLES / model.get("test_data", {"file": name})["file"]).is_file(), name


def test_suggested_shapes_fit_the_declared_inputs() -> None:
    for name, model in MODELS.items():
        if model["expect"]["step"] == "load":
            continue
        graph = onnx.load(str(SAMPLES / name)).graph
        assert [value.name for value in graph.input] == list(model["inputs"]), name
        for value in graph.input:
            suggested = model["inputs"][value.name]
            tensor = value.type.tensor_type
            assert suggested["dtype"] == onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
            shapes = [suggested[which] for which in ("min", "opt", "max")]
            for dimension, sizes in zip(tensor.shape.dim, zip(*shapes, strict=True), strict=True):
                allowed = sizes[0] < sizes[2] if dimension.dim_param else set(sizes) == {dimension.dim_value}
                assert allowed, f"{name}: {value.name} {dimension} {sizes}"
                assert list(sizes) == sorted(sizes), name


def test_samples_are_small() -> None:
    total = sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.suffix in {".onnx", ".npz"})
    assert total < LARGEST_TOTAL_BYTES


@pytest.mark.parametrize("name", MODELS)
def test_readme_has_a_line_for_each_model(name: str) -> None:
    lines = [line for line in README.splitlines() if line.startswith("|") and f"`{name}`" in line]
    assert len(lines) == 1
    size = (SAMPLES / name).stat().st_size
    assert (f"{size / 1024:.1f} KiB" if size >= 1024 else f"{size} B") in lines[0]
    wanted = MODELS[name]["expect"]["tensorrt"]["message_contains"]
    assert wanted is None or f"`{wanted}`" in lines[0]


def test_readme_names_the_version_it_was_measured_on() -> None:
    measured = CATALOG["measured"]
    assert f"TensorRT-RTX {measured['version']}" in README
    assert measured["date"] in README


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_pass_the_checker(name: str) -> None:
    onnx.checker.check_model(str(SAMPLES / name), full_check=True)


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_have_named_batches_and_named_nodes(name: str) -> None:
    graph = onnx.load(str(SAMPLES / name)).graph
    for value in graph.input:
        assert value.type.tensor_type.shape.dim[0].dim_param in {"batch", "steps"}
    names = [node.name for node in graph.node if node.op_type != "ConstantOfShape"]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("which", ["min", "opt"])
def test_healthy_models_run(name: str, which: str) -> None:
    for output in run_model(name, random_feeds(MODELS[name]["inputs"], which)):
        assert np.isfinite(output).all()


def test_transformer_ignores_masked_tokens() -> None:
    feeds = random_feeds(MODELS["transformer.onnx"]["inputs"], "max")
    feeds["mask"][:] = 1
    feeds["mask"][:, 40:] = 0
    [hidden] = run_model("transformer.onnx", feeds)
    feeds["tokens"][:, 40:] = 5
    [changed] = run_model("transformer.onnx", feeds)
    np.testing.assert_allclose(hidden[:, :40], changed[:, :40], atol=1e-5)
    assert np.abs(hidden[:, 40:] - changed[:, 40:]).max() > 0.1


def test_control_flow_takes_both_branches() -> None:
    quiet = np.full((3, 8), 0.25, dtype=np.float32)
    loud = np.full((3, 8), 4.0, dtype=np.float32)
    for signal, levelled in ((quiet, 0.5), (loud, np.tanh(4.0))):
        value = levelled
        for _ in range(3):
            value -= 0.1 * value**3
        averages = [value * (1 - 0.75**step) for step in (1, 2, 3)]
        smooth, last = run_model("control_flow.onnx", {"signal": signal})
        np.testing.assert_allclose(smooth[:, 0], averages, rtol=1e-5)
        np.testing.assert_allclose(last, smooth[-1])


def test_digits_accuracy_on_held_out_images() -> None:
    stated = MODELS["digits.onnx"]["test_data"]
    with np.load(SAMPLES / stated["file"], allow_pickle=False) as data:
        image, label = data["image"], data["label"]
    [logits] = run_model("digits.onnx", {"image": image})
    accuracy = float((logits.argmax(axis=1) == label).mean())
    assert len(label) == stated["images"]
    assert accuracy >= 0.95
    assert accuracy == pytest.approx(stated["held_out_accuracy"], abs=1e-4)
    assert [float(text) for text in re.findall(r"accuracy of (0\.\d+)", README)] == [pytest.approx(accuracy, abs=1e-4)]


@pytest.mark.parametrize("name", MODELS)
def test_tensorrt_does_what_the_catalog_says(name: str, measured: dict[str, dict[str, Any]]) -> None:
    expected, found = MODELS[name]["expect"], measured[name]
    for key in ("outcome", "step", "onnx_checker_accepts"):
        assert found[key] == expected[key], f"{key}: {found}"
    said, wanted = found["tensorrt"], expected["tensorrt"]
    assert said["step"] == wanted["step"], said
    assert said["code"] == wanted["code"], said
    if wanted["message_contains"] is None:
        assert said["messages"] == []
    else:
        assert wanted["message_contains"] in said["messages"][0]
    assert wanted.get("log_contains", "") in "\n".join(said["log"])


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model["expect"]["node"]])
def test_tensorrt_names_the_node_that_the_catalog_names(name: str, measured: dict[str, dict[str, Any]]) -> None:
    node, said = MODELS[name]["expect"]["node"], measured[name]["tensorrt"]
    assert node in {value.name for value in onnx.load(str(SAMPLES / name)).graph.node}
    # The builder has no field for the node; it is in the text.
    assert said["node"] == node if said["step"] == "parse" else node in said["messages"][0]


@pytest.mark.parametrize("name", ["broken/empty.onnx", "broken/html.onnx"])
def test_files_that_are_no_models_parse_as_empty_networks(name: str, measured: dict[str, dict[str, Any]]) -> None:
    said = measured[name]["tensorrt"]
    assert said["step"] == "build"
    assert said["layers"] == 0


def test_baked_in_batch_builds_for_a_batch_of_one(measured: dict[str, dict[str, Any]]) -> None:
    assert measured["batch of one"]["outcome"] == "builds"
