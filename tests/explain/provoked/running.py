"""Provoke failures, in plain programs and through trtlab, and see what is said of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import trtlab
from tests.explain.provoked.case import SUCCEEDED, Case
from trtlab._errors import BuildError
from trtlab.explain.diagnosis import Diagnosis
from trtlab.explain.exceptions import driver_is_here
from trtlab.explain.log import analyse_log

# A terminal shows what the usual logger prints; who asks for help is told to send the verbose log.
LEVELS = {"log": "WARNING", "verbose log": "VERBOSE"}
_ZYGOTE = Path(__file__).with_name("zygote.py")
_PROCESSES = 2
_SECONDS = 240


@dataclass(frozen=True)
class Outcome:
    """What was said of a case in one of the ways in which it was provoked.

    Attributes:
        case: The case.
        way: `log`, `verbose log` or `trtlab`.
        said: Ids of the diagnoses, the first first.
        evidence: The log, or what trtlab said.
        is_root: Whether the first diagnosis is said to be the root, and is not harmless.
    """

    case: Case
    way: str
    said: tuple[str, ...]
    evidence: str
    is_root: bool

    @property
    def right(self) -> bool:
        """Whether the first diagnosis is the true one."""
        return self.is_root and self.case.accepts(self.said[0])

    def miss(self) -> str:
        """Return a miss as a line of a report."""
        said = ", ".join(self.said[:3]) or "nothing"
        return f"{self.case.family}: {self.case.name} ({self.way}): is {self.case.truth}, said was {said}"


def possible(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that can be provoked on this machine."""
    return [case for case in cases if not (case.without_driver and driver_is_here())]


def provoke(cases: Sequence[Case], folder: Path) -> list[Outcome]:
    """Provoke every case in every way that it can be, and return what was said, in the order of the cases."""
    with ThreadPoolExecutor(1) as other:
        plain = other.submit(run_plain, cases, folder / "plain")
        found = [outcome for case in cases if case.through_trtlab for outcome in run_trtlab(case, folder / "trtlab")]
        found += plain.result()
    order = {case.name: index for index, case in enumerate(cases)}
    return sorted(found, key=lambda outcome: order[outcome.case.name])


def run_plain(cases: Sequence[Case], folder: Path) -> list[Outcome]:
    """Run the plain programs, some processes at a time, and explain what they printed."""
    jobs: list[tuple[Case, str, Path]] = []
    for index, case in enumerate(cases):
        for way, severity in LEVELS.items() if case.plain else ():
            place = folder / f"{index}-{severity.lower()}"
            place.mkdir(parents=True)
            case.write_files(place)
            (place / "program.py").write_text(case.program_text(severity), "utf-8")
            jobs.append((case, way, place))
    run_programs([place for _, _, place in jobs])
    return [_explained(case, way, (place / "output.txt").read_text("utf-8", "replace")) for case, way, place in jobs]


def run_programs(folders: Sequence[Path]) -> None:
    """Run the program of each folder; what it printed is in its `output.txt` then."""
    share = [folders[start::_PROCESSES] for start in range(_PROCESSES)]

    def run(some: Sequence[Path]) -> None:
        if some:
            subprocess.run([sys.executable, str(_ZYGOTE), *map(str, some)], timeout=_SECONDS, check=True)

    with ThreadPoolExecutor(_PROCESSES) as threads:
        list(threads.map(run, share))


def _explained(case: Case, way: str, log: str) -> Outcome:
    if log.endswith(f"{SUCCEEDED}\n"):
        return Outcome(case, way, ("nothing failed",), log, is_root=False)
    # As `%%trt_watch` and `trtlab explain` do it for what was printed on this machine.
    found = analyse_log(log, has_driver=driver_is_here()).diagnoses
    return _outcome(case, way, found, log)


def run_trtlab(case: Case, folder: Path) -> list[Outcome]:
    """Build through trtlab and return what it said."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    if case.provoke is not None:
        found = case.provoke(place)
        return [_outcome(case, "trtlab", found, "\n".join(map(repr, found)))]
    case.write_files(place)
    try:
        trtlab.build(place / "model.onnx", plan=case.plan, limits=case.limits, cache=False)
    except BuildError as error:
        return [_outcome(case, "trtlab", error.diagnoses, str(error))]
    return [Outcome(case, "trtlab", ("nothing failed",), "", is_root=False)]


def _outcome(case: Case, way: str, found: Sequence[Diagnosis], evidence: str) -> Outcome:
    is_root = bool(found) and found[0].root and found[0].severity != "harmless"
    return Outcome(case, way, tuple(diagnosis.id for diagnosis in found), evidence, is_root=is_root)


def right_cases(outcomes: Iterable[Outcome]) -> list[Case]:
    """Return the cases that are right in every way in which they were provoked."""
    by_case: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_case.setdefault(outcome.case.name, []).append(outcome)
    return [found[0].case for found in by_case.values() if all(outcome.right for outcome in found)]
