"""Five hundred damaged models go through the whole session: each ends in an engine, or in a diagnosis that explains something."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from tests import models
from tests.conftest import worker_processes
from trtlab.build.proposals import proposed_profile
from trtlab.build.report import BuildReport
from trtlab.build.session import BuildSession
from trtlab.worker import Worker, WorkerLimits, WorkerPool

COUNT = 500
THREADS = 2
SEED = 20261122
# Damage can make a tensor so large that a step takes minutes; that is reported as what it is.
LIMITS = WorkerLimits(seconds=8.0)
SMALLEST_BYTES, LARGEST_BYTES = 250, 45_000
TAKE_SECONDS_TO_BUILD = {"light_vgg19", "light_bvlc_alexnet", "light_inception_v1"}
KINDS = ("bits", "bits", "cut", "repeated", "number", "number", "text", "swapped", "changed", "changed", "changed")
NUMBERS = (0, 1, 2**31 - 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1)
TEXTS = (b"\xff\xfe\xfd\xfc", b"\0\0\0\0", b"<b>x", b"'\"\\\n")


class KeptWorker(WorkerPool):
    """Keeps one worker warm in spite of its time limit. The pool of trtlab does so only for workers without limits."""

    def __init__(self) -> None:
        super().__init__()
        self.worker: Worker | None = None
        self.started = 0

    def acquire(self, *, limits: WorkerLimits | None = None, cancelled: threading.Event | None = None) -> Worker:
        if self.worker is None or not self.worker.alive:
            self.worker = Worker(limits=limits).start(cancelled=cancelled)
            self.started += 1
        return self.worker

    def release(self, worker: Worker) -> None:
        if worker.alive:
            worker.call("trtlab.worker.context:reset")

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()


@dataclass(frozen=True)
class Damaged:
    """One damaged model, and how it came to be."""

    number: int
    kind: str
    content: bytes


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def damaged(number: int, bases: list[bytes]) -> Damaged:
    """Return the damaged model of this number: always the same one."""
    chance = random.Random(SEED + number)
    content = bytearray(chance.choice(bases))
    place = chance.randrange(len(content))
    kind = chance.choice(KINDS)
    if kind == "bits":
        for _ in range(chance.choice((1, 1, 2, 5, 30))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del content[place:]
    elif kind == "repeated":
        content[place:place] = content[place : place + chance.randrange(1, 200)]
    elif kind == "number":
        content[place : place + 1] = varint(chance.choice(NUMBERS))
    elif kind == "text":
        content[place : place + 4] = chance.choice(TEXTS)
    elif kind == "swapped":
        other = chance.randrange(len(content))
        content[place], content[other] = content[other], content[place]
    else:
        content = bytearray(with_a_changed_number(bytes(content), chance))
    return Damaged(number, kind, bytes(content))


def is_message(content: bytes) -> bool:
    """Whether this is a model at all: some samples are broken already."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return bool(onnx.ModelProto.FromString(content).graph.node)
    except DecodeError:
        return False


def with_a_changed_number(content: bytes, chance: random.Random) -> bytes:
    """Change a size, an attribute or an index in a model that stays a valid message: this gets further than flipped bits."""
    import onnx

    proto = onnx.ModelProto.FromString(content)
    number = chance.choice([-1, 0, 7, 2**31, 2**40, 2**62])
    targets = [size for value in proto.graph.input for size in value.type.tensor_type.shape.dim]
    tensors = [tensor for tensor in proto.graph.initializer if tensor.dims]
    attributes = [item for node in proto.graph.node for item in node.attribute if item.ints or item.HasField("i")]
    choice = chance.random()
    if attributes and choice < 0.5:
        attribute = chance.choice(attributes)
        if attribute.ints:
            attribute.ints[chance.randrange(len(attribute.ints))] = number
        else:
            attribute.i = number
    elif tensors and choice < 0.75:
        tensor = chance.choice(tensors)
        tensor.dims[chance.randrange(len(tensor.dims))] = number
    elif targets:
        chance.choice(targets).dim_value = number
    return proto.SerializeToString()


def build(model: Damaged, pool: WorkerPool) -> BuildReport:
    with BuildSession(model.content, limits=LIMITS, pool=pool) as session:
        description = session.run_to("load").result
        profile = proposed_profile(description) if description is not None else None
        if profile is not None:
            session.set_plan(session.plan.with_profiles(profile))
        return session.run_all()


@pytest.fixture(scope="module")
def reports() -> list[tuple[Damaged, BuildReport, float]]:
    """Build all of them, on two workers at once."""
    paths = [*models.SAMPLES.rglob("*.onnx"), *models.LIGHT_MODELS]
    paths = [path for path in sorted(paths) if path.stem not in TAKE_SECONDS_TO_BUILD]
    contents = [path.read_bytes() for path in paths if SMALLEST_BYTES < path.stat().st_size < LARGEST_BYTES]
    bases = [content for content in contents if is_message(content)]
    assert len(bases) > 10
    results: list[tuple[Damaged, BuildReport, float]] = []
    failures: list[BaseException] = []

    def work(first: int) -> None:
        pool = KeptWorker()
        try:
            for number in range(first, COUNT, THREADS):
                model = damaged(number, bases)
                start = time.perf_counter()
                results.append((model, build(model, pool), time.perf_counter() - start))
        except BaseException as error:  # noqa: BLE001 - a session must not raise; shown by the test
            failures.append(error)
        finally:
            pool.close()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [], "a session raised"
    return sorted(results, key=lambda result: result[0].number)


def summary(results: list[tuple[Damaged, BuildReport, float]]) -> str:
    """Return a table of the endings by kind of damage."""
    kinds = sorted({model.kind for model, _, _ in results})
    counts = Counter((ending(report), model.kind) for model, report, _ in results)
    endings = sorted({name for name, _ in counts})
    lines = [f"{'':<34}" + "".join(f"{kind:>11}" for kind in kinds)]
    lines += [f"{name:<34}" + "".join(f"{counts[name, kind] or '':>11}" for kind in kinds) for name in endings]
    slowest = sorted(seconds for _, _, seconds in results)[-3:]
    limited = sum("worker.time_limit" in name for name, _ in counts.elements())
    return "\n".join(
        [*lines, f"slowest: {[round(seconds, 1) for seconds in slowest]} s, over the time limit: {limited}"]
    )


def ending(report: BuildReport) -> str:
    failed = next((step for step in report.steps if step.state == "failed"), None)
    return f"{failed.name}: {failed.diagnoses[0].id}" if failed else "built"


def test_each_ends_in_an_engine_or_in_an_explanation(reports: list[tuple[Damaged, BuildReport, float]]) -> None:
    print("\n" + summary(reports))  # noqa: T201 - the figures are wanted
    assert len(reports) == COUNT
    unexplained = []
    for model, report, _ in reports:
        states = [step.state for step in report.steps]
        if report.ok:
            assert set(states) <= {"done", "skipped"}
            assert report.engine_bytes > 0
            continue
        assert states.count("failed") == 1, states
        assert report.diagnoses
        unexplained += [
            (model.number, model.kind, repr(diagnosis), diagnosis.original[-300:])
            for diagnosis in report.diagnoses
            if not diagnosis.title.strip() or diagnosis.id == "trtlab.unexpected"
        ]
    assert unexplained == []


def test_they_reach_every_step(reports: list[tuple[Damaged, BuildReport, float]]) -> None:
    """If all stopped at load, nothing behind it would have been tried."""
    endings = Counter(ending(report).partition(":")[0] for _, report, _ in reports)
    assert endings["built"] >= 20
    assert endings["load"] >= 20
    assert endings["parse"] >= 20
    assert endings["build"] >= 3


def test_a_step_over_its_time_limit_is_said_to_be_that(reports: list[tuple[Damaged, BuildReport, float]]) -> None:
    for _, report, seconds in reports:
        if seconds > (LIMITS.seconds or 0) * 1.5:
            assert any(diagnosis.id == "worker.time_limit" for diagnosis in report.diagnoses) or report.ok
        for diagnosis in report.diagnoses:
            if diagnosis.id == "worker.time_limit":
                assert "time limit of 8.00 s" in diagnosis.why


def test_no_process_is_left(reports: list[tuple[Damaged, BuildReport, float]]) -> None:
    assert reports
    assert len(worker_processes()) <= 1, "only the warm worker that all tests share"


def test_every_finding_and_report_can_be_shown(reports: list[tuple[Damaged, BuildReport, float]]) -> None:
    for _, report, _ in reports:
        bundle = report._repr_mimebundle_()
        assert len(bundle["text/plain"].splitlines()) <= 5
        assert report.to_json().encode("utf-8")
        assert all(finding.text for finding in report.findings)
