"""What lies where an engine should go: kept if it may be somebody's work, replaced whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest

import trtlab
from tests import models
from tests.build.outcomes import assert_saved, failure, pool_here
from tests.build.sabotage import LONG_AGO, OLD_ENGINE, OLD_NOTE, Scene, WatchedPool, assert_whole
from trtlab._errors import BuildError
from trtlab.build.cache import EngineCache
from trtlab.build.report import EngineFile
from trtlab.build.saving import save_engine
from trtlab.build.session import BuildSession


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchedPool]:
    """Return a pool whose one worker builds everything here."""
    with pool_here() as pool:
        yield pool


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return an output folder with an older engine, and an empty cache."""
    (tmp_path / "output").mkdir()
    return Scene(tmp_path / "output", tmp_path / "cache")


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """Return a model that builds in a tenth of a second."""
    return models.relu((1, 4))


def model_itself(folder: Path, path: Path) -> Path:
    """Return the model's own path."""
    del folder
    return path


def link_to_model(folder: Path, path: Path) -> Path:
    """Return another name of the model."""
    (folder / "link.engine").symlink_to(path)
    return folder / "link.engine"


def a_folder(folder: Path, path: Path) -> Path:
    """Return a folder."""
    del path
    return folder


def a_pipe(folder: Path, path: Path) -> Path:
    """Return something that is neither a file nor a folder, as /dev/null is."""
    del path
    os.mkfifo(folder / "pipe.engine")
    return folder / "pipe.engine"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (model_itself, "is the model itself. Give another name for the engine."),
        (link_to_model, "is the model itself. Give another name for the engine."),
        (a_folder, "is a folder. Give the name of the engine file inside it."),
        (a_pipe, "is no regular file. Give another name for the engine."),
    ],
)
def test_what_is_no_place_for_an_engine_is_refused_and_kept(
    model: onnx.ModelProto,
    tmp_path: Path,
    pool: WatchedPool,
    make: Callable[[Path, Path], Path],
    said: str,
    *,
    overwrite: bool,
) -> None:
    (tmp_path / "output").mkdir()
    path = models.save(model, tmp_path / "model.onnx")
    output = make(tmp_path / "output", path)
    before = (path.read_bytes(), output.lstat().st_mode, sorted(tmp_path.rglob("*")))
    with BuildSession(path, output=output, overwrite=overwrite, pool=pool) as session:
        diagnosis = failure(session.run_all())
    assert diagnosis.title == f"{output} {said}"
    assert (path.read_bytes(), output.lstat().st_mode, sorted(tmp_path.rglob("*"))) == before


def test_a_missing_folder_is_named_and_can_be_made(model: onnx.ModelProto, tmp_path: Path, pool: WatchedPool) -> None:
    output = tmp_path / "missing" / "model.engine"
    with BuildSession(model, output=output, pool=pool) as session:
        diagnosis = failure(session.run_all())
        assert (diagnosis.id, diagnosis.title) == ("file.no_folder", "There is no such folder")
        assert str(output.parent) in diagnosis.why
        assert not output.parent.exists()
        built = session.step("build")
        output.parent.mkdir()
        assert_saved(output, session.run_all())
        assert session.step("build") == built


def change_later(scene: Scene) -> str:
    """Give the output a date in the future, as an engine of a later build has."""
    later = time.time() + 60
    os.utime(scene.output, (later, later))
    return "after this build began. Replace it?"


def no_engine(scene: Scene) -> str:
    """Put something at the output that is no engine."""
    scene.output.write_text("my thesis")
    os.utime(scene.output, LONG_AGO)
    return "is there already and is no TensorRT engine. Replace it?"


def no_note(scene: Scene) -> str:
    """Put something beside the output that is no note of an engine, under the note's name."""
    scene.note.write_text('{"training": "parameters"}')
    return "model.engine.json is there already and is no note of an engine. Replace it?"


@pytest.mark.parametrize("prepare", [change_later, no_engine, no_note])
def test_what_may_be_somebodys_work_is_asked_about(
    model: onnx.ModelProto, scene: Scene, pool: WatchedPool, prepare: Callable[[Scene], str]
) -> None:
    question = prepare(scene)
    before = (scene.output.read_bytes(), scene.note.read_bytes())
    with BuildSession(model, output=scene.output, cache=EngineCache(scene.cache), pool=pool) as session:
        diagnosis = failure(session.run_all())
        assert diagnosis.id == "file.newer"
        assert diagnosis.title.endswith(question)
        assert "overwrite=True" in diagnosis.remedies[0].text
        assert (scene.output.read_bytes(), scene.note.read_bytes()) == before
        scene.assert_clean()
        built = session.step("build")
        session.set_output(scene.output, overwrite=True)
        scene.assert_built(session.run_all())
        assert session.step("build") == built


def test_the_function_asks_by_an_error_and_takes_yes_for_an_answer(model: onnx.ModelProto, scene: Scene) -> None:
    no_engine(scene)
    with pytest.raises(BuildError, match="no TensorRT engine") as caught:
        trtlab.build(model, output=scene.output, cache=EngineCache(scene.cache))
    assert [diagnosis.id for diagnosis in caught.value.diagnoses] == ["file.newer"]
    assert scene.output.read_text() == "my thesis"
    scene.assert_built(trtlab.build(model, output=scene.output, cache=EngineCache(scene.cache), overwrite=True))


def test_an_older_engine_and_an_empty_file_are_replaced_unasked(
    model: onnx.ModelProto, scene: Scene, pool: WatchedPool
) -> None:
    for content in (OLD_ENGINE, b""):
        scene.output.write_bytes(content)
        scene.note.write_bytes(OLD_NOTE)
        os.utime(scene.output, LONG_AGO)
        with BuildSession(model, output=scene.output, pool=pool) as session:
            assert_saved(scene.output, session.run_all())


@pytest.mark.parametrize("cached", [False, True])
def test_a_session_may_save_twice(model: onnx.ModelProto, scene: Scene, pool: WatchedPool, *, cached: bool) -> None:
    cache = EngineCache(scene.cache) if cached else None
    with BuildSession(model, output=scene.output, cache=cache, pool=pool) as session:
        first = session.run_all()
        assert_saved(scene.output, first)
        for step in ("save", "build", "load"):
            again = session.rerun(step)
            assert_saved(scene.output, again)
            assert again.engine is not None
            assert first.engine is not None
            assert again.engine.sha256 == first.engine.sha256
            assert again.from_cache == (cached and step != "save")
    assert_whole(scene.cache)


def test_what_somebody_else_wrote_between_two_saves_is_asked_about(
    model: onnx.ModelProto, scene: Scene, pool: WatchedPool
) -> None:
    with BuildSession(model, output=scene.output, pool=pool) as session:
        session.run_all()
        scene.output.write_bytes(b"ftrt and somebody else's")
        diagnosis = failure(session.rerun("save"))
        assert diagnosis.id == "file.newer"
        assert scene.output.read_bytes() == b"ftrt and somebody else's"


def test_a_name_that_is_too_long_is_told(model: onnx.ModelProto, tmp_path: Path, pool: WatchedPool) -> None:
    output = tmp_path / ("e" * 252)  # its note's name would be longer than names can be
    with BuildSession(model, output=output, pool=pool) as session:
        assert "File name too long" in failure(session.run_all()).why
    assert list(tmp_path.iterdir()) == []


def test_the_longest_possible_name_works(model: onnx.ModelProto, tmp_path: Path, pool: WatchedPool) -> None:
    output = tmp_path / ("é" * 125)
    with BuildSession(model, output=output, pool=pool) as session:
        assert_saved(output, session.run_all())


# Engine and note belong together


@pytest.mark.parametrize("old_note", [OLD_NOTE, None])
def test_a_note_is_put_back_if_its_engine_cannot_be_put_in_place(scene: Scene, old_note: bytes | None) -> None:
    scene.output.unlink()
    if old_note is None:
        scene.note.unlink()

    def write(temporary: Path) -> tuple[int, str]:
        temporary.write_bytes(b"a new engine")
        scene.output.mkdir()  # at the last moment somebody makes a folder there
        return 12, "digest"

    with pytest.raises(IsADirectoryError):
        save_engine(scene.output, write, {"schema": "trtlab.engine/1"})
    assert (scene.note.read_bytes() if scene.note.exists() else None) == old_note
    assert [path.name for path in scene.output.parent.iterdir() if path.name.startswith(".")] == []


def test_engine_and_note_appear_together(scene: Scene) -> None:
    def write(temporary: Path) -> tuple[int, str]:
        temporary.write_bytes(b"a new engine")
        assert scene.output.read_bytes() == OLD_ENGINE
        assert scene.note.read_bytes() == OLD_NOTE
        return 12, "digest"

    assert save_engine(scene.output, write, {"schema": "trtlab.engine/1"}) == EngineFile(
        str(scene.output), 12, "digest", str(scene.note)
    )
    assert scene.output.read_bytes() == b"a new engine"
    assert b'"sha256": "digest"' in scene.note.read_bytes()
