"""Whatever befalls the worker during a check: a clear error or a result, no process left, and the next check just works."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests import models
from tests.build.sabotage import WatchedPool, assert_processes_gone, convolutions
from tests.explain.provoked.processes import scan_of_too_many
from tests.worker.processes import wait_until, wait_until_gone
from trtlab._errors import CancelledError, CheckError, InputError
from trtlab.support.report import SupportReport
from trtlab.support.session import SurveyProgress, SurveySession
from trtlab.worker import Worker, WorkerLimits

PARSER, LOOK = "asking the parser", "looking at the model"
IMAGE = (1, 8, 16, 16)


@pytest.fixture(scope="module")
def common_pool() -> Iterator[WatchedPool]:
    """Return the pool of all tests; in the end none of its processes may be left."""
    pool = WatchedPool()
    yield pool
    pool.close()
    assert_processes_gone(pool)


@pytest.fixture
def pool(common_pool: WatchedPool) -> WatchedPool:
    """Return a pool with a warm worker."""
    common_pool.warm_up()
    return common_pool


def faulty() -> onnx.ModelProto:
    """Return a model with one refused node."""
    nodes = [models.node("Relu", ["x"], ["r"], "relu"), models.node("Det", ["r"], ["y"], "det")]
    return models.model(nodes, [models.value("x", (1, 4, 4))], [models.value("y", (1,))])


class Strike:
    """Does something to the worker when a check comes to a phase, once. The worker is stopped by then.

    Args:
        pool: Where the worker comes from.
        phase: The phase.
        deed: What is done.
    """

    def __init__(self, pool: WatchedPool, phase: str, deed: Callable[[Worker], object]) -> None:
        self._pool, self._phase, self._deed = pool, phase, deed
        self.victim: Worker | None = None

    def __call__(self, progress: SurveyProgress) -> None:
        if self.victim is not None or progress.text != self._phase:
            return
        self.victim = self._pool.latest
        os.kill(self.victim.pid, signal.SIGSTOP)
        threading.Thread(target=self._strike, args=(self.victim,)).start()

    def _strike(self, worker: Worker) -> None:
        wait_until(lambda: worker.busy or not worker.alive)
        time.sleep(0.01)  # the call has been written meanwhile
        self._deed(worker)


def kill(worker: Worker) -> None:
    """End a worker as the out-of-memory killer does."""
    os.kill(worker.pid, signal.SIGKILL)


def crash(worker: Worker) -> None:
    """End a worker as a wild pointer does, outside any pass of TensorRT: it has not begun one."""
    os.kill(worker.pid, signal.SIGSEGV)
    os.kill(worker.pid, signal.SIGCONT)


def limit_time(worker: Worker) -> None:
    """Leave it stopped: it hangs. The limit of the session ends it."""


KILLED = (kill, "worker.killed", "killed from outside (SIGKILL)")
CRASHED = (crash, "worker.crash", "a segmentation fault")
HANGING = (limit_time, "worker.time_limit", "did not finish within its time limit")


@pytest.mark.parametrize(
    ("phase", "deed", "identifier", "says"),
    [(phase, *deed) for phase in (PARSER, LOOK) for deed in (KILLED, CRASHED, HANGING)]
    + [("reading the model", *deed) for deed in (KILLED, CRASHED)],
)
def test_a_lost_worker_is_an_error_that_says_why_and_the_next_check_works(
    pool: WatchedPool, phase: str, deed: Callable[[Worker], object], identifier: str, says: str
) -> None:
    strike = Strike(pool, phase, deed)
    limits = WorkerLimits(seconds=3.0) if deed is limit_time else None
    with SurveySession(faulty(), pool=pool, limits=limits, on_progress=strike) as session:
        if limits:
            session.load()  # a worker with limits of its own is started for this session
        with pytest.raises(CheckError) as caught:
            session.check()
        [diagnosis] = caught.value.diagnoses
        assert diagnosis.id == identifier
        assert says in str(caught.value)
        assert diagnosis.remedies
        assert session.report is None
        assert strike.victim is not None
        wait_until_gone(strike.victim.pid, zombie_is_gone=False)
        check_found(session.check())


def check_found(report: SupportReport) -> None:
    """Fail if a report of `faulty()` is not as it must be."""
    assert [verdict.node.name for verdict in report.unsupported] == ["det"]
    assert report.nodes[0].status == "supported"


def test_a_memory_limit_is_a_clear_error(pool: WatchedPool) -> None:
    with SurveySession(
        convolutions(40, channels=64), pool=pool, limits=WorkerLimits(memory_bytes=200 << 20)
    ) as session:
        with pytest.raises(CheckError) as caught:
            session.check(depth="full")
        assert caught.value.diagnoses[0].id in ("build.out_of_memory", "worker.crash")
        assert "200 MiB" in str(caught.value)
    with SurveySession(faulty(), pool=pool) as session:
        check_found(session.check())


@pytest.mark.parametrize("phase", [PARSER, LOOK])
def test_a_worker_that_does_not_hear_is_cancelled_within_a_second(pool: WatchedPool, phase: str) -> None:
    asked: list[float] = []

    def cancel(_: Worker) -> None:
        asked.append(time.monotonic())
        session.cancel()

    strike = Strike(pool, phase, cancel)
    with SurveySession(faulty(), pool=pool, on_progress=strike) as session:
        with pytest.raises(CancelledError):
            session.check()
        assert time.monotonic() - asked[0] < 1
        check_found(session.check())


@pytest.mark.parametrize("depth", ["quick", "full"])
def test_tensorrt_at_work_is_cancelled_within_a_second(pool: WatchedPool, depth: str) -> None:
    """A hundred refused nodes make hundreds of passes; 150 convolutions take the builder many seconds."""
    proto = many_refused(400) if depth == "quick" else convolutions(150)
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.monotonic())
        session.cancel()

    def hear(progress: SurveyProgress) -> None:
        if (
            not asked
            and (progress.done > 3 or depth == "full")
            and progress.text not in ("reading the model", PARSER[:0])
        ):
            threading.Timer(0.3, cancel).start()
            asked.append(time.monotonic())

    with SurveySession(proto, pool=pool, on_progress=hear) as session:
        with pytest.raises(CancelledError):
            session.check(depth=depth)  # type: ignore[arg-type]
        assert time.monotonic() - asked[-1] < 1
        assert len(asked) == 2


def many_refused(count: int) -> onnx.ModelProto:
    """Return a chain of nodes that each stop the parser: their axes are inputs."""
    nodes, inputs = [], [models.value("t0", (1, 4)), models.value("axes", (1,), TensorProto.INT64)]
    for number in range(count):
        nodes.append(models.node("ReduceSum", [f"t{number}", "axes"], [f"r{number}"], f"reduce{number}", keepdims=1))
        nodes.append(models.node("Add", [f"t{number}", f"r{number}"], [f"t{number + 1}"], f"add{number}"))
    proto = models.model(nodes, inputs, [models.value(f"t{count}", (1, 4))])
    proto.graph.value_info.extend(models.value(f"r{number}", (1, 1)) for number in range(count))
    return proto


def test_a_cancel_between_two_calls_is_not_lost(pool: WatchedPool) -> None:
    def hear(progress: SurveyProgress) -> None:
        if progress.text == LOOK:
            session.cancel()

    with SurveySession(faulty(), pool=pool, on_progress=hear) as session, pytest.raises(CancelledError):
        session.check()


# What TensorRT itself crashes on


def attention_on_one_tensor() -> onnx.ModelProto:
    """Return a model on which the builder of TensorRT-RTX 1.7.1 crashes: query, key and value are one tensor."""
    nodes = [
        models.node("Sin", ["x"], ["s"], "sine"),
        models.node("Attention", ["s", "s", "s"], ["a"], "attention"),
        models.node("Tanh", ["a"], ["y"], "tanh"),
    ]
    return models.model(nodes, [models.value("x", IMAGE)], [models.value("y", IMAGE)], opsets={"": 23})


def test_a_node_on_which_the_builder_crashes_is_named(pool: WatchedPool) -> None:
    with SurveySession(attention_on_one_tensor(), pool=pool) as session:
        report = session.check(depth="full")
    assert report.accepted
    assert not report.supported
    [verdict] = report.unsupported
    assert (verdict.node.name, verdict.refused_by) == ("attention", "builder")
    if verdict.diagnosis_id == "worker.crash":
        assert "builder crashes on this node" in verdict.reason
        assert "SIGSEGV" in verdict.message or "segmentation fault" in verdict.message
    assert [other.status for other in report.nodes] == ["supported", "unsupported", "supported"]


def test_a_node_on_which_the_parser_crashes_is_named(pool: WatchedPool) -> None:
    """Also with another fault behind it, which the survey still finds."""
    proto = scan_of_too_many()
    proto.graph.node.add(op_type="Det", name="det", input=["x2"], output=["d"])
    proto.graph.input.append(models.value("x2", (1, 4, 4)))
    with SurveySession(proto, pool=pool) as session:
        report = session.check()
        again = session.check()
    found = {verdict.node.name: verdict for verdict in report.unsupported}
    assert found.keys() == {"scan", "det"}
    assert found["scan"].refused_by == found["det"].refused_by == "parser"
    assert found["scan"].reason
    assert [verdict.status for verdict in again.nodes] == [verdict.status for verdict in report.nodes]


def test_depth_is_checked() -> None:
    with SurveySession(faulty()) as session, pytest.raises(InputError, match="'quick'"):
        session.check(depth="deep")  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 100])
def test_what_is_no_model_is_wrong_input(pool: WatchedPool, content: bytes) -> None:
    with SurveySession(content, pool=pool) as session, pytest.raises(InputError):
        session.check()


def test_a_missing_file_is_wrong_input(pool: WatchedPool, tmp_path: Path) -> None:
    with SurveySession(tmp_path / "none.onnx", pool=pool) as session, pytest.raises(InputError, match=r"none\.onnx"):
        session.check()


def test_what_crashes_onnx_itself_is_still_judged(tmp_path: Path) -> None:
    """Onnx 1.23.2's shape inference dies (SIGSEGV) on a RegexFullMatch whose input has no type: the parser is asked all the same."""
    node = helper.make_node("RegexFullMatch", ["x"], ["y"], pattern="a")
    graph = helper.make_graph([node], "graph", [onnx.ValueInfoProto(name="x")], [onnx.ValueInfoProto(name="y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    path = tmp_path / "untyped.onnx"
    path.write_bytes(model.SerializeToString())
    with SurveySession(path) as session:
        report = session.check(depth="quick")
    assert not report.supported
    assert [verdict.status for verdict in report.nodes] == ["unsupported"]
    if not any("segmentation fault" in finding.text for finding in report.findings):
        pytest.skip(f"onnx {onnx.__version__} no longer crashes on this")
    assert sum(finding.id == "support.not_looked_at" for finding in report.findings) == 1
