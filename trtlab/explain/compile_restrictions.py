"""Check `data/restrictions.yaml` and write it as the file that is loaded: `python -m trtlab.explain.compile_restrictions`.

`--check` writes nothing and ends with 1 if the file is not what the YAML says. Needs PyYAML, which only developers need.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from trtlab.explain.catalog import DATA, FACT, Text
from trtlab.explain.compile_catalog import load_yaml
from trtlab.explain.facts import FACT_NAMES
from trtlab.explain.generated import write_generated
from trtlab.explain.restrictions import CONDITIONS, Restriction

SOURCE, TARGET = DATA / "restrictions.yaml", DATA / "restrictions.json"
_CHINESE = re.compile(r"[一-鿿]")
_SHOWS = re.compile(r"types|outputs|attributes|computed|floats|tensor|missing|attribute\.\w+|input\.\w+")
# What no reason may hold.
_CPLUSPLUS = re.compile(r"::|&&|\|\||->|==|\(\)")


def read_restrictions(path: Path = SOURCE) -> tuple[Restriction, ...]:
    """Return the restrictions of the YAML file, in its order.

    Raises:
        ValueError: One of them is wrong; all problems at once.
    """
    found, problems = [], []
    for identifier, fields in load_yaml(path).items():
        try:
            restriction = msgspec.convert({"id": identifier, **fields}, Restriction)
            problems += [f"{identifier}: {problem}" for problem in problems_of(restriction)]
        except (msgspec.ValidationError, TypeError, re.error) as error:
            problems.append(f"{identifier}: {error}")
            continue
        found.append(restriction)
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(found)


def problems_of(restriction: Restriction) -> list[str]:
    """Return what is wrong with one restriction."""
    groups = set(restriction.compiled.groupindex)
    problems = [f"no condition {name!r}" for name in restriction.conditions if name not in CONDITIONS]
    problems += [f"shows what does not exist: {name!r}" for name in restriction.shows if not _SHOWS.fullmatch(name)]
    for text in filter(None, (restriction.reason, restriction.instead)):
        problems += _text_problems(text, groups)
    problems += [
        f"C++ in the reason: {text}"
        for text in (restriction.reason.en, restriction.reason.zh)
        if _CPLUSPLUS.search(text)
    ]
    if restriction.code and restriction.instead is None:
        problems.append("code needs a sentence that says what it is for")
    return problems


def _text_problems(text: Text, groups: set[str]) -> list[str]:
    problems = []
    if not _CHINESE.search(text.zh) or _CHINESE.search(text.en):
        problems.append(f"a text in the wrong language: {text.en[:40]!r}")
    if set(FACT.findall(text.en)) != set(FACT.findall(text.zh)):
        problems.append(f"the languages use different facts: {text.en[:40]!r}")
    problems += [f"{{{name}}} is no fact" for name in FACT.findall(text.en) if name not in FACT_NAMES | groups]
    if not text.en.endswith(".") or not text.zh.endswith("。"):
        problems.append(f"no full sentence: {text.en[:40]!r}")
    return problems


def compiled(found: tuple[Restriction, ...]) -> bytes:
    """Return the content of the JSON file: one restriction a line, so that a change can be read."""
    return b"[\n" + b",\n".join(map(msgspec.json.encode, found)) + b"\n]\n"


def main() -> None:
    """Write the generated files, or say whether they are up to date."""
    write_generated(
        lambda: {TARGET: compiled(read_restrictions())},
        module="trtlab.explain.compile_restrictions",
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    main()
