"""Say how often trtlab names the right cause of a failure, and how often it sees one where there is none; writes `explain.md`.

`python -m benchmarks.explain_accuracy [--reported FILE.jsonl] [--builds N]` from the project's root, with the packages of the
tests. Four parts:

* failures that were reported in public (`--reported`: one JSON object a line with `log` and `class`). Their logs are
  reconstructions, so the score is one on reconstructions. The class `other` is right if the first diagnosis is none of those
  that the design names, or if there is none;
* the provoked failures (`tests/explain/provoked`), each in up to three ways: what its program prints, the same at the level
  VERBOSE, and what `trtlab.build` says. A case is right if it is in every way;
* the recordings of runtime failures on a GPU (`recordings/*runtime_failures*.json`);
* false alarms: the verbose logs of builds that succeed, as Python programs and as trtexec write them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.explain.promised import PROMISED
from tests.explain.provoked import ALL, HELD_OUT
from tests.explain.provoked.case import FAMILIES
from tests.explain.provoked.running import possible, provoke, right_cases
from tests.explain.provoked.successes import successful_builds
from trtlab.explain.log import analyse_log
from trtlab.worker import shared_pool

FOLDER = Path(__file__).resolve().parent
OUTPUT = FOLDER / "explain.md"
# A reported failure of the class `other` is none of these.
NAMED = frozenset(PROMISED)


@dataclass
class Score:
    """How many of some cases are right.

    Attributes:
        cases: How many there are.
        right: How many are right.
        false_alarms: How often something else was said to be one of these.
        misses: What was said instead, a line each.
    """

    cases: int = 0
    right: int = 0
    false_alarms: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, *, right: bool, miss: str) -> None:
        """Count one case."""
        self.cases += 1
        self.right += right
        if not right:
            self.misses.append(miss)

    def __str__(self) -> str:
        share = f" ({100 * self.right / self.cases:.1f} %)" if self.cases else ""
        return f"{self.right} of {self.cases}{share}"


@dataclass(frozen=True)
class Judged:
    """One failure: what it is, what was said first, whether that is right, and how a miss is told."""

    truth: str
    said: str
    right: bool
    miss: str


def scores_by(judged: Iterable[Judged], name_of: Callable[[str], str]) -> dict[str, Score]:
    """Return the score of each kind of diagnosis, with how often it was said of something else."""
    scores: dict[str, Score] = {}
    for one in judged:
        scores.setdefault(name_of(one.truth), Score()).count(right=one.right, miss=one.miss)
        if not one.right and one.said:
            scores.setdefault(name_of(one.said), Score()).false_alarms += 1
    return dict(sorted(scores.items()))


def said_of(log: str) -> str:
    """Return the first diagnosis of a log from elsewhere; empty if there is none."""
    found = analyse_log(log).diagnoses
    return found[0].id if found else ""


def is_right(truth: str, said: str) -> bool:
    """Return whether a reported failure is explained rightly."""
    return said not in NAMED if truth == "other" else said == truth


def judged_reports(path: Path) -> list[Judged]:
    """Return what was said of each row of a file of reported failures."""
    judged = []
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(filter(str.strip, stream), start=1):
            row = json.loads(line)
            truth, said = row["class"], said_of(row["log"])
            miss = f"{row.get('id', f'row {number}')}: is {truth}, said was {said or 'nothing'}"
            judged.append(Judged(truth, said, is_right(truth, said), miss))
    return judged


def score_recordings() -> dict[str, Score]:
    """Return the score of each recording of runtime failures. A case without a class has no error, and none must be seen."""
    scores: dict[str, Score] = {}
    for path in sorted((FOLDER / "recordings").glob("*runtime_failures*.json")):
        document = json.loads(path.read_text("utf-8"))
        score = scores.setdefault(
            f"{document['gpu']}, {document['flavour']} {document['version']}, {document['date'][:10]}", Score()
        )
        for failure in document["failures"]:
            roots = [found for found in analyse_log(failure["log"]).diagnoses if found.root]
            said = roots[0].id if roots and roots[0].severity != "harmless" else ""
            miss = f"{failure['case']}: is {failure['class'] or 'no error'}, said was {said or 'nothing'}"
            score.count(right=said == failure["class"], miss=miss)
    return scores


@dataclass
class Provoked:
    """What was said of the provoked failures: of each family of cases, in each way, of each diagnosis, and of those held out."""

    families: dict[str, Score] = field(default_factory=lambda: {family: Score() for family in FAMILIES})
    ways: dict[str, Score] = field(default_factory=dict)
    diagnoses: dict[str, Score] = field(default_factory=dict)
    held_out: Score = field(default_factory=Score)


def score_provoked() -> Provoked:
    """Provoke every case that can be on this machine."""
    cases, found = possible(ALL), Provoked()
    with tempfile.TemporaryDirectory(prefix="trtlab-") as name:
        outcomes = provoke(cases, Path(name))
    right = {case.name for case in right_cases(outcomes)}
    held_out = {case.name for case in HELD_OUT}
    for case in cases:
        missed = "; ".join(outcome.miss() for outcome in outcomes if outcome.case is case and not outcome.right)
        for score in (found.families[case.family], *([found.held_out] if case.name in held_out else [])):
            score.count(right=case.name in right, miss=missed)
    for outcome in outcomes:
        found.ways.setdefault(outcome.way, Score()).count(right=outcome.right, miss=outcome.miss())
    judged = [Judged(one.case.truth, one.said[0] if one.said else "", one.right, one.miss()) for one in outcomes]
    found.diagnoses = scores_by(judged, str)
    return found


@dataclass
class Alarms:
    """What was seen in builds that succeeded, by where the models come from."""

    builds: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    examples: list[str] = field(default_factory=list)


def count_false_alarms(wanted: int) -> Alarms:
    """Build until so many builds have succeeded, and read each log."""
    alarms = Alarms()
    with tempfile.TemporaryDirectory(prefix="trtlab-") as name:
        for success in successful_builds(Path(name), wanted):
            alarms.builds[success.group] += 1
            alarms.lines += success.log.count("\n")
            found = success.false_alarms()
            alarms.false[success.group] += bool(found)
            alarms.examples += [f"{success.name}: {text}" for text in found]
    return alarms


def table(title: str, scores: dict[str, Score], *, unit: str = "cases") -> list[str]:
    """Return a table of scores with their sum, as Markdown."""
    lines = [f"| {title} | {unit} | right | missed | false alarms |", "|---|---|---|---|---|"]
    for name, score in (*scores.items(), ("**all**", total_of(scores))):
        lines.append(f"| {name} | {score.cases} | {score.right} | {score.cases - score.right} | {score.false_alarms} |")
    return lines


def short_table(title: str, scores: dict[str, Score], *, unit: str = "cases") -> list[str]:
    """Return a table for kinds of cases, which cannot be said by mistake."""
    lines = [f"| {title} | {unit} | right | missed |", "|---|---|---|---|"]
    for name, score in (*scores.items(), ("**all**", total_of(scores))):
        lines.append(f"| {name} | {score.cases} | {score.right} | {score.cases - score.right} |")
    return lines


def bullets(texts: Iterable[str]) -> list[str]:
    """Return a list as Markdown, or that there is nothing in it."""
    return [f"* {' '.join(text.split())[:400]}" for text in texts] or ["None."]


def total_of(scores: dict[str, Score]) -> Score:
    """Return the sum of scores."""
    values = scores.values()
    return Score(*(sum(getattr(score, name) for score in values) for name in ("cases", "right", "false_alarms")))


def report(*, reported: Path | None, builds: int, command: Sequence[str]) -> str:
    """Measure everything and return the page."""
    began = time.monotonic()
    provoked, alarms = score_provoked(), count_false_alarms(builds)
    parts = [_provoked_part(provoked), _alarms_part(alarms), _recordings_part(score_recordings())]
    if reported is not None:
        parts.append(_reported_part(reported))
    head = [
        "# How often the cause is named rightly", "",
        f"Made by `{' '.join(command)}`; do not edit. {machine()}; {time.monotonic() - began:.0f} s.",
        "Right means: the first diagnosis is the true one. A false alarm of a diagnosis is a failure that is something else and was",
        "said to be that.", "",
    ]  # fmt: skip
    return "\n".join([*head, *(line for part in parts for line in part)]).rstrip("\n") + "\n"


def _provoked_part(found: Provoked) -> list[str]:
    return [
        "## Failures provoked in the real parser and builder", "",
        f"{total_of(found.families)} cases are right in every way in which they were provoked: by what a plain program prints, by the same",
        "at the level VERBOSE, and by what `trtlab.build` says. Each case (`tests/explain/provoked`) has its true class by how it is made.",
        "Most of these cases were used to find gaps in the rules, and rules were then written for them, so this says that known failures",
        f"are recognised. What to expect of others: {found.held_out} of the cases that were written after the rules are right.",
        "",
        *short_table("family of cases", found.families), "",
        *short_table("way", found.ways, unit="explanations"), "",
        *table("diagnosis", found.diagnoses, unit="explanations"), "",
        "Missed:", "", *bullets(miss for score in found.families.values() for miss in score.misses), "",
    ]  # fmt: skip


def _alarms_part(alarms: Alarms) -> list[str]:
    scores = {
        name: Score(count, count - alarms.false[name], alarms.false[name]) for name, count in alarms.builds.items()
    }
    return [
        "## False alarms in builds that succeed", "",
        f"{alarms.builds.total()} builds, {alarms.lines} lines at the level VERBOSE, each log read as Python programs and as trtexec",
        "write it. A false alarm is a diagnosis that is said to be the root and is an error or a warning.", "",
        *table("models", scores, unit="builds"), "", "False alarms:", "", *bullets(alarms.examples), "",
    ]  # fmt: skip


def _recordings_part(recordings: dict[str, Score]) -> list[str]:
    return [
        "## Runtime failures recorded on a GPU", "",
        "A case without an error, of which there are some, is right if no error is seen.", "",
        *short_table("recorded on", recordings), "",
        "Missed:", "", *bullets(miss for score in recordings.values() for miss in score.misses), "",
    ]  # fmt: skip


def _reported_part(path: Path) -> list[str]:
    scores = scores_by(judged_reports(path), lambda identifier: identifier.partition(".")[0])
    return [
        "## Failures reported in public", "",
        f"{total_of(scores)} are right. **These are scores on reconstructions**: each log has TensorRT's wording with made-up names,",
        "numbers and surroundings, its class was set by one reader, and it was at hand while the rules were written.",
        f"File: `{path.name}`.", "",
        *table("family", scores), "",
        "Missed:", "", *bullets(miss for score in scores.values() for miss in score.misses), "",
    ]  # fmt: skip


def machine() -> str:
    """Return date, machine and versions as all benchmarks say them."""
    sys.path.insert(0, str(FOLDER))  # the other scripts of this folder are run as files
    from machine import machine_line

    return machine_line()


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reported", type=Path, help="reported failures, one JSON object a line")
    parser.add_argument("--builds", type=int, default=1000, help="successful builds to look for false alarms in")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    words = [
        "python -m benchmarks.explain_accuracy",
        *(["--reported FILE"] if arguments.reported else []),
        f"--builds {arguments.builds}",
    ]
    page = report(reported=arguments.reported, builds=arguments.builds, command=words)
    arguments.output.write_text(page, "utf-8")
    sys.stdout.write(page)
    shared_pool().close()


if __name__ == "__main__":
    main()
