"""The page's modules joined into one text, for anywidget loads a widget's code from a text, where nothing can be imported.

Not a bundler: it takes the one form of import and the few forms of export that the modules in `static/` use, and
refuses everything else with the file and line at fault, so that a mistake is seen in a test and not on somebody's page.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^import \{([\w\s,$]*)\} from "\./([\w-]+\.js)";[ \t]*\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) [\w$])", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(r"^export default (?=\{)", re.MULTILINE)
_OTHER_STATEMENT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_OTHER_IMPORT = re.compile(r"\bimport\s*(?:\(|\.meta\b).*")
_DECLARATION = re.compile(
    r"^(?P<export>export )?(?:async function|function|class|const|let|var)\*? +(?P<name>[\w$]+|[{\[])", re.MULTILINE
)
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)", re.MULTILINE | re.DOTALL)
_STYLE_IMPORT = re.compile(r'^@import "\./([\w-]+\.css)";[ \t]*\n', re.MULTILINE)


class ModuleError(Exception):
    """The modules in `static/` cannot be joined; the message names the file and what is wrong in it."""


@dataclass(frozen=True)
class _Module:
    """One file: what it takes from which other file, what it declares, and what is left without both."""

    name: str
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    declared: tuple[str, ...]
    exported: frozenset[str]
    has_default: bool
    body: str


@functools.cache
def joined_module(entry: str, *, static: Path = STATIC) -> str:
    """Return the module `entry` and all that it imports as one module, whose only export is the entry's default.

    Args:
        entry: File name in `static`, such as `build_panel.js`.
        static: The folder of the modules.

    Raises:
        ModuleError: A file is missing, imports in a circle, uses a form of import or export that is not handled, takes
            a name that the other file does not export, or declares a name that another file declares too.
    """
    modules: dict[str, _Module] = {}
    _collect(entry, static, (), modules)
    _check_imports(modules)
    _check_names(modules)
    if not modules[entry].has_default:
        raise ModuleError(f"{entry} has no `export default {{...}}`; without it anywidget has nothing to show.")
    return "\n".join(f"// {module.name}\n{module.body.strip()}\n" for module in modules.values())


@functools.cache
def stylesheet(name: str, *, static: Path = STATIC) -> str:
    """Return the style sheet `name` in `static`, each `@import "./other.css";` replaced once by that sheet.

    Raises:
        ModuleError: A sheet is missing or imports in another form.
    """
    seen: set[str] = set()

    def text_of(sheet: str) -> str:
        if sheet in seen:
            return ""
        seen.add(sheet)
        text = _STYLE_IMPORT.sub(lambda match: text_of(match[1]), _read(sheet, static))
        if "@import" in text:
            raise ModuleError(f'{sheet}: only `@import "./name.css";` on a line of its own is handled.')
        return text

    return text_of(name)


def _read(name: str, static: Path) -> str:
    if Path(name).name != name:
        raise ModuleError(f"{name!r} is not a file name: modules lie side by side in one folder.")
    try:
        return (static / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModuleError(f"{name} is not in {static.name}/.") from error


def _collect(name: str, static: Path, importers: tuple[str, ...], modules: dict[str, _Module]) -> None:
    """Add `name` to `modules` after all that it imports: a class must stand before the one that extends it."""
    if name in importers:
        circle = " -> ".join((*importers[importers.index(name) :], name))
        raise ModuleError(f"Modules import each other in a circle: {circle}.")
    if name in modules:
        return
    try:
        module = _parse(name, _read(name, static), is_entry=not importers)
    except ModuleError as error:
        if importers:
            raise ModuleError(f"{error} (imported by {importers[-1]})") from error
        raise
    for imported, _names in module.imports:
        _collect(imported, static, (*importers, name), modules)
    modules[name] = module


def _parse(name: str, text: str, *, is_entry: bool) -> _Module:
    declarations = list(_DECLARATION.finditer(text))
    for match in declarations:
        if match["name"] in "{[":
            raise ModuleError(f"{_place(name, text, match)}: taking names apart at the top level is not handled.")
    imports = tuple(
        (match[2], tuple(part.strip() for part in match[1].split(",") if part.strip()))
        for match in _IMPORT.finditer(text)
    )
    for imported, names in imports:
        for taken in names:
            if not re.fullmatch(r"[\w$]+", taken):
                raise ModuleError(f"{name}: `{taken}` from {imported}: renaming an import is not handled.")
    # Lines are kept while looking for what is left over, so that the line number in a message is right.
    rest = _EXPORT.sub("", _IMPORT.sub(lambda match: "\n" * match[0].count("\n"), text))
    has_default = False
    if is_entry:
        rest, count = _EXPORT_DEFAULT.subn("", rest, count=1)
        has_default = count == 1
    _refuse_other_forms(name, rest)
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    return _Module(
        name=name,
        imports=imports,
        declared=tuple(match["name"] for match in declarations),
        exported=frozenset(match["name"] for match in declarations if match["export"]),
        has_default=has_default,
        body=body,
    )


def _refuse_other_forms(name: str, rest: str) -> None:
    code = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), rest)
    match = _OTHER_STATEMENT.search(code) or _OTHER_IMPORT.search(code)
    if match:
        raise ModuleError(
            f"{_place(name, code, match)}: `{match[0].strip()}` is not handled. Handled are "
            '`import { name } from "./file.js";`, `export` before a function, class, const or let, and one '
            "`export default {` in the entry."
        )


def _place(name: str, text: str, match: re.Match[str]) -> str:
    return f"{name}, line {text.count(chr(10), 0, match.start()) + 1}"


def _check_imports(modules: dict[str, _Module]) -> None:
    for module in modules.values():
        for imported, names in module.imports:
            missing = [name for name in names if name not in modules[imported].exported]
            if missing:
                raise ModuleError(f"{module.name} imports {', '.join(missing)}, which {imported} does not export.")


def _check_names(modules: dict[str, _Module]) -> None:
    owners: dict[str, str] = {}
    for module in modules.values():
        for name in module.declared:
            if name in owners:
                raise ModuleError(
                    f"{name} is declared in {owners[name]} and in {module.name}; joined, they would be one name. Rename one."
                )
            owners[name] = module.name
