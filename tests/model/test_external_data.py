"""External data are read only from the model's own folder, and every fault is said at once, with the tensor."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from tests import models
from trtlab._errors import InputError
from trtlab.build.session import BuildSession
from trtlab.model.actions import describe
from trtlab.model.check import check
from trtlab.model.reading import ModelFile

WEIGHT = models.weight("w", 4, 3, 3, 3)
WEIGHT_BYTES = 4 * 3 * 3 * 3 * 4


def with_external(location: str, *, offset: int | None = None, length: int | None = WEIGHT_BYTES) -> onnx.ModelProto:
    """Return the convolution with its weight said to lie at `location`."""
    proto = models.convolution()
    proto.graph.initializer[0].CopyFrom(models.external(WEIGHT, location, offset=offset, length=length))
    return proto


def refused(proto: onnx.ModelProto, folder: Path) -> str:
    """Return the error of reading a model."""
    with pytest.raises(InputError) as caught:
        ModelFile(models.save(proto, folder / "model.onnx"))
    return str(caught.value)


@pytest.mark.parametrize(("offset", "length"), [(None, WEIGHT_BYTES), (16, WEIGHT_BYTES), (None, None), (16, None)])
def test_data_in_the_folder_are_read(tmp_path: Path, offset: int | None, length: int | None) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(b"\0" * (offset or 0) + WEIGHT.raw_data)
    path = models.save(with_external("sub/w.bin", offset=offset, length=length), tmp_path / "model.onnx")
    result = describe(ModelFile(path))
    assert result.weights_bytes == WEIGHT_BYTES
    [file] = result.external_files
    assert (file.location, file.bytes, file.tensors) == ("sub/w.bin", WEIGHT_BYTES + (offset or 0), 1)


def test_digest_depends_on_the_external_data(tmp_path: Path) -> None:
    path = models.save(with_external("w.bin"), tmp_path / "model.onnx")
    digests = set()
    for content in (WEIGHT.raw_data, b"\1" + WEIGHT.raw_data[1:]):
        (tmp_path / "w.bin").write_bytes(content)
        digests.add(ModelFile(path).sha256)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/etc/passwd", "an absolute path"),
        ("../w.bin", "leads out of the model's folder with '..'"),
        ("sub/../../w.bin", "leads out of the model's folder with '..'"),
        ("..\\w.bin", "leads out of the model's folder with '..'"),
        ("C:\\weights\\w.bin", "an absolute path"),
        ("C:w.bin", "an absolute path"),
        ("\\\\server\\share\\w.bin", "an absolute path"),
        ("w.bin", "there is no such file"),
        ("", "gives no file name"),
        (".", "not a file"),
        ("folder", "not a file"),
        ("file/w.bin", "cannot be reached"),
        ("x" * 300, "cannot be reached"),
        ("a\0b", "gives no file name"),
    ],
)
def test_unusable_locations(tmp_path: Path, location: str, reason: str) -> None:
    home = tmp_path / "home"
    (home / "folder").mkdir(parents=True)
    (home / "file").touch()
    (tmp_path / "w.bin").write_bytes(WEIGHT.raw_data)
    message = refused(with_external(location), home)
    assert reason in message
    assert "'w'" in message, "the tensor is not named"


def test_link_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret").write_bytes(WEIGHT.raw_data)
    (home / "w.bin").symlink_to(tmp_path / "secret")
    assert "a link that leads out of the model's folder" in refused(with_external("w.bin"), home)


def test_folder_link_that_leads_out(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "w.bin").write_bytes(WEIGHT.raw_data)
    (home / "sub").symlink_to(outside)
    assert "a link that leads out of the model's folder" in refused(with_external("sub/w.bin"), home)


def test_link_inside_the_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real.bin").write_bytes(WEIGHT.raw_data)
    (tmp_path / "w.bin").symlink_to("real.bin")
    file = ModelFile(models.save(with_external("w.bin"), tmp_path / "model.onnx"))
    assert file.external_data.tensor_bytes == WEIGHT_BYTES


def test_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "w.bin").symlink_to("w.bin")
    message = refused(with_external("w.bin"), tmp_path)
    assert "leads to itself" in message or "symbolic links" in message


@pytest.mark.parametrize(("offset", "length"), [(None, WEIGHT_BYTES), (8, WEIGHT_BYTES), (None, None), (10**15, 4)])
def test_data_that_break_off(tmp_path: Path, offset: int | None, length: int | None) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.raw_data[: -1 if offset is None else None])
    message = refused(with_external("w.bin", offset=offset, length=length), tmp_path)
    needed = (offset or 0) + (length or WEIGHT_BYTES)
    assert f"the model needs {needed} bytes" in message


@pytest.mark.parametrize("text", ["-1", "many", "1.5"])
def test_offsets_that_are_no_counts(tmp_path: Path, text: str) -> None:
    proto = with_external("w.bin")
    entry = proto.graph.initializer[0].external_data.add()
    entry.key, entry.value = "offset", text
    message = refused(proto, tmp_path)
    assert f"offset='{text}'" in message
    assert "'w'" in message


def test_all_faults_at_once(tmp_path: Path) -> None:
    proto = with_external("absent.bin")
    proto.graph.initializer.append(models.external(models.weight("v", 2), "/absolute.bin"))
    message = refused(proto, tmp_path)
    assert "absent.bin" in message
    assert "/absolute.bin" in message


def nested_in_constant(location: str) -> onnx.ModelProto:
    """Return a model with external data in a Constant inside a branch, and one in the main graph."""
    tensor = models.external(models.weight("k", 4), location, length=16)
    constant = models.node("Constant", [], ["k"], "constant", value=tensor)
    proto = models.branches([constant, models.node("Add", ["x", "k"], ["t"])], [models.node("Relu", ["x"], ["e"])])
    proto.graph.initializer.append(models.external(models.weight("unused", 4), "other.bin", length=16))
    return proto


def test_data_of_nested_constants_are_checked_and_counted(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"\0" * 16)
    assert "there is no such file" in refused(nested_in_constant("absent.bin"), tmp_path)
    (tmp_path / "k.bin").write_bytes(b"\0" * 16)
    file = ModelFile(models.save(nested_in_constant("k.bin"), tmp_path / "model.onnx"))
    assert {part.location for part in file.external_data.files} == {"k.bin", "other.bin"}
    assert describe(file).weights_bytes == 32


def test_check_has_nothing_against_external_data(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"\0" * 16)
    (tmp_path / "k.bin").write_bytes(b"\0" * 16)
    proto = nested_in_constant("k.bin")
    assert check(proto, folder=tmp_path) == ()
    assert check(proto) == ()


def test_check_reads_small_external_tensors_that_shapes_depend_on(tmp_path: Path) -> None:
    target = models.integers("target", 5, 5)
    nodes = [models.node("Reshape", ["x", "target"], ["y"], "reshape")]
    proto = models.model(
        nodes, [models.value("x", (2, 3))], [models.value("y", (2, 2))], [models.external(target, "t.bin")]
    )
    (tmp_path / "t.bin").write_bytes(target.raw_data)
    assert [finding.node.name for finding in check(proto, folder=tmp_path) if finding.node] == ["reshape"]


def test_length_that_does_not_fit_the_shape_is_found(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.raw_data)
    [finding] = check(with_external("w.bin", length=8), folder=tmp_path)
    assert (finding.id, finding.tensor) == ("model.initializer", "w")


def test_thousands_of_files_are_all_found(tmp_path: Path) -> None:
    proto = models.relu()
    for number in range(4000):
        (tmp_path / f"{number}.bin").write_bytes(b"1234")
        proto.graph.initializer.append(models.external(models.weight(f"w{number}", 1), f"{number}.bin", length=4))
    path = models.save(proto, tmp_path / "model.onnx")
    assert len(ModelFile(path).external_data.files) == 4000


def test_weights_over_two_gigabytes_load_and_are_not_read_into_memory(tmp_path: Path) -> None:
    size = 2**31 + 2**20
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[size // 4])
    nodes = [models.node("ReduceSum", ["w"], ["s"], "sum"), models.node("Add", ["x", "s"], ["y"], "add")]
    proto = models.model(nodes, initializers=[models.external(tensor, "w.bin", length=size)])
    with (tmp_path / "w.bin").open("wb") as stream:
        stream.truncate(size)  # a sparse file: it takes no space
    with BuildSession(models.save(proto, tmp_path / "model.onnx")) as session:
        load, check_record = session.next(), session.next()
    assert load is not None
    assert check_record is not None
    assert load.state == "done", load
    assert load.result.weights_bytes == size
    assert check_record.state == "done"
    assert check_record.result == ()
