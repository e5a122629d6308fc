"""Check the hand-written catalog and rules and write them as the files that are loaded: `python -m trtlab.explain.compile_catalog`.

`--check` writes nothing and ends with 1 if the file is not what the YAML says. Needs PyYAML, which only developers need.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from trtlab.explain.catalog import DATA, RELEASES, Entry, Text
from trtlab.explain.facts import FACT_NAMES
from trtlab.explain.generated import write_generated
from trtlab.explain.log.rules import Rule, fact_name

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CHINESE = re.compile(r"[一-鿿]")
_FEWEST_CAUSES = 1


def read_entries(folder: Path = DATA / "entries") -> tuple[Entry, ...]:
    """Return the entries of all YAML files, in the order of the files' names.

    Raises:
        ValueError: An entry is incomplete or wrong; all problems at once.
    """
    entries, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        problems += [
            f"{path.name}: {line.strip()[:80]!r}: YAML takes what follows # for a comment; quote it"
            for line in _cut_lines(path)
        ]
        for identifier, fields in load_yaml(path).items():
            try:
                found = msgspec.convert({"id": identifier, **fields}, Entry)
            except (msgspec.ValidationError, TypeError) as error:
                problems.append(f"{path.name}: {identifier}: {error}")
                continue
            entries.append(found)
            problems += [f"{path.name}: {identifier}: {problem}" for problem in problems_of(found)]
    problems += _problems_between(entries)
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(entries)


def _cut_lines(path: Path) -> list[str]:
    """Return the lines of code that lose their comment because they are not quoted."""
    return re.findall(
        r"(?m)^\s+(?:-\s+)?(?:code|tensorrt_[\w.]+): [^\"&|*{'\n][^\n]* #[^\n]*$", path.read_text("utf-8")
    )


def load_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping.

    Raises:
        ValueError: It is none, or a key stands there twice (YAML itself would keep the last).
    """
    import yaml

    class Loader(yaml.CSafeLoader):
        """Refuses repeated keys."""

    def mapping(loader: Loader, node: yaml.MappingNode) -> dict[str, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{path.name}: line {node.start_mark.line + 1}: a key stands there twice")
        loader.flatten_mapping(node)
        return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    content = yaml.load(path.read_text("utf-8"), Loader)  # noqa: S506 - a safe loader
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: holds no entries")  # noqa: TRY004 - the file is wrong, not a type
    return content


def problems_of(entry: Entry) -> list[str]:
    """Return what is wrong with one entry by itself."""
    problems = [f"{where}: {problem}" for where, text in _texts(entry) for problem in _text_problems(text)]
    if len(entry.causes) < _FEWEST_CAUSES or not entry.remedies or not entry.references:
        problems.append("needs at least one cause, one remedy and one reference")
    for text in entry.why:
        english, chinese = set(_PLACEHOLDER.findall(text.en)), set(_PLACEHOLDER.findall(text.zh))
        if english != chinese:
            problems.append(f"why: the languages use different facts: {sorted(english ^ chinese)}")
        problems += [f"why: {{{name}}} is no fact" for name in sorted(english - FACT_NAMES)]
    for remedy in entry.remedies:
        problems += [f"code_for: {name!r} is none of {RELEASES}" for name in remedy.code_for if name not in RELEASES]
        if remedy.code and remedy.code_for:
            problems.append("a remedy has code or code_for, not both")
    problems += [f"reference {url!r} is no https address" for url in entry.references if not url.startswith("https://")]
    if (entry.number is None) == (entry.kind in ("error_code", "parser_code", "cuda_error")):
        problems.append("codes have a number, others have none")
    if entry.kind == "diagnosis" and entry.leads_to:
        problems.append("a diagnosis leads nowhere else")
    return problems


def _texts(entry: Entry) -> list[tuple[str, Text]]:
    texts = [("title", entry.title), ("meaning", entry.meaning), *(("why", text) for text in entry.why)]
    for cause in entry.causes:
        texts += [("cause", cause.text), ("confirm", cause.confirm)]
    texts += [("remedy", remedy.text) for remedy in entry.remedies]
    return texts + [("confused_with", confusion.how) for confusion in entry.confused_with]


def _text_problems(text: Text) -> list[str]:
    problems = []
    if not text.en.strip() or not text.zh.strip():
        problems.append("a language is missing")
    elif not _CHINESE.search(text.zh):
        problems.append(f"not Chinese: {text.zh[:40]!r}")
    if _CHINESE.search(text.en):
        problems.append(f"not English: {text.en[:40]!r}")
    if "!" in text.en.replace("!=", "") or "！" in text.zh:
        problems.append("no exclamation marks")
    return problems


def read_rules(ids: set[str], folder: Path = DATA / "rules") -> tuple[Rule, ...]:
    """Return the rules of all YAML files, in the order of the files' names.

    Args:
        ids: The diagnoses that there are.
        folder: Where the files are.

    Raises:
        ValueError: A rule is wrong; all problems at once.
    """
    import yaml

    found, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        for number, fields in enumerate(yaml.load(path.read_text("utf-8"), yaml.CSafeLoader), start=1):
            where = f"{path.name}: rule {number} ({fields.get('id')})"
            try:
                rule = msgspec.convert(fields, Rule)
                problems += [f"{where}: {problem}" for problem in _rule_problems(rule, ids)]
                found.append(rule)
            except (msgspec.ValidationError, re.error) as error:
                problems.append(f"{where}: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(found)


def _rule_problems(rule: Rule, ids: set[str]) -> list[str]:
    named = (rule.id, *filter(None, (rule.alone, rule.becomes)), *rule.follows, *rule.absorbs)
    problems = [f"{name} is no diagnosis" for name in named if name not in ids]
    problems += [f"{piece!r} holds a digit" for piece in rule.any if any(letter.isdigit() for letter in piece)]
    if not rule.any:
        problems.append("needs a piece of text to look for")
    groups = {fact_name(name) for name in (*rule.compiled.groupindex, *rule.facts)}
    problems += [f"{{{name}}} is no fact" for name in sorted(groups - FACT_NAMES)]
    if rule.veto is not None and rule.veto.groupindex:
        problems.append("`unless` has no groups")
    return problems


def _problems_between(entries: list[Entry]) -> list[str]:
    ids = [entry.id for entry in entries]
    problems = [
        f"{identifier} stands there twice" for identifier in sorted({name for name in ids if ids.count(name) > 1})
    ]
    for entry in entries:
        others = (*(confusion.id for confusion in entry.confused_with), *entry.leads_to)
        problems += [f"{entry.id} refers to {other}, which is not there" for other in others if other not in ids]
    return problems


def compiled(items: tuple[Entry, ...] | tuple[Rule, ...]) -> bytes:
    """Return the content of a JSON file: one entry or rule a line, so that a change can be read."""
    return b"[\n" + b",\n".join(map(msgspec.json.encode, items)) + b"\n]\n"


def compiled_files() -> dict[Path, bytes]:
    """Return what the generated files must hold.

    Raises:
        ValueError: The catalog or the rules are wrong.
    """
    entries = read_entries()
    rules = read_rules({entry.id for entry in entries if entry.kind == "diagnosis"})
    return {DATA / "catalog.json": compiled(entries), DATA / "rules.json": compiled(rules)}


def main() -> None:
    """Write the generated files, or say whether they are up to date."""
    write_generated(compiled_files, module="trtlab.explain.compile_catalog", description=__doc__.splitlines()[0])


if __name__ == "__main__":
    main()
