"""Joining the page's modules: what comes out, and that every form it does not handle is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtlab.widgets._esm import STATIC, ModuleError, joined_module, stylesheet


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_modules_stand_before_those_that_import_them(tmp_path: Path) -> None:
    static = write(
        tmp_path,
        entry='import { middle } from "./middle.js";\nimport {\n  base,\n} from "./base.js";\nexport default { middle, base };\n',
        middle='import { base } from "./base.js";\nexport const middle = base + 1;\n',
        base="export const base = 1;\n",
    )
    joined = joined_module("entry.js", static=static)
    assert joined.index("const base = 1;") < joined.index("const middle = base + 1;") < joined.index("export default")
    assert joined.count("const base = 1;") == 1
    assert "import" not in joined
    assert joined.count("export") == 1


def test_words_in_comments_and_inside_functions_are_left_alone(tmp_path: Path) -> None:
    text = "/**\n * import all of it, then export (see import.meta).\n */\n// export nothing\nexport default {\n  export: 1,\n};\n"
    assert joined_module("entry.js", static=write(tmp_path, entry=text)).endswith(text)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ('import all from "./other.js";', 2),
        ('import * as all from "./other.js";', 2),
        ('import "./other.js";', 2),
        ('import { a } from "https://example.org/a.js";', 2),
        ("import { a } from './other.js';", 2),
        ("export { a };", 2),
        ('export * from "./other.js";', 2),
        ("export default function () {}", 2),
        ("export default {};\nexport default {};", 3),
        ('const later = () => import("./other.js");', 2),
        ("const here = import.meta.url;", 2),
        ("export const { a, b } = pair;", 2),
    ],
)
def test_other_forms_are_refused_with_file_and_line(tmp_path: Path, statement: str, line: int) -> None:
    static = write(tmp_path, entry=f"\n{statement}\n", other="export const a = 1;\n")
    with pytest.raises(ModuleError, match=rf"entry\.js, line {line}: .*not handled"):
        joined_module("entry.js", static=static)


def test_renaming_an_import_is_refused(tmp_path: Path) -> None:
    static = write(
        tmp_path, entry='import { a as b } from "./other.js";\nexport default { b };\n', other="export const a = 1;\n"
    )
    with pytest.raises(ModuleError, match=r"`a as b` from other\.js: renaming an import is not handled"):
        joined_module("entry.js", static=static)


def test_default_export_outside_the_entry_is_refused(tmp_path: Path) -> None:
    static = write(
        tmp_path, entry='import { a } from "./other.js";\nexport default { a };\n', other="export default { a: 1 };\n"
    )
    with pytest.raises(ModuleError, match=r"other\.js, line 1: .*imported by entry\.js"):
        joined_module("entry.js", static=static)


def test_circle_is_named(tmp_path: Path) -> None:
    static = write(
        tmp_path,
        entry='import { a } from "./a.js";\nexport default { a };\n',
        a='import { b } from "./b.js";\nexport const a = b;\n',
        b='import { a } from "./a.js";\nexport const b = a;\n',
    )
    with pytest.raises(ModuleError, match=r"circle: a\.js -> b\.js -> a\.js"):
        joined_module("entry.js", static=static)


def test_missing_file_is_named_with_who_wants_it(tmp_path: Path) -> None:
    static = write(tmp_path, entry='import { a } from "./gone.js";\nexport default { a };\n')
    with pytest.raises(ModuleError, match=r"gone\.js is not in .*imported by entry\.js"):
        joined_module("entry.js", static=static)


def test_name_that_is_not_exported_is_refused(tmp_path: Path) -> None:
    static = write(tmp_path, entry='import { a } from "./other.js";\nexport default { a };\n', other="const a = 1;\n")
    with pytest.raises(ModuleError, match=r"entry\.js imports a, which other\.js does not export"):
        joined_module("entry.js", static=static)


def test_same_name_in_two_modules_is_refused(tmp_path: Path) -> None:
    static = write(
        tmp_path, entry='import { a } from "./other.js";\nfunction same() {}\nexport default { a };\n',
        other="const same = 1;\nexport const a = same;\n",
    )  # fmt: skip
    with pytest.raises(ModuleError, match=r"same is declared in other\.js and in entry\.js"):
        joined_module("entry.js", static=static)


def test_entry_without_default_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="has no `export default"):
        joined_module("entry.js", static=write(tmp_path, entry="export const a = 1;\n"))


@pytest.mark.parametrize("name", ["../secret.js", "folder/entry.js"])
def test_paths_are_refused(name: str) -> None:
    with pytest.raises(ModuleError, match="is not a file name"):
        joined_module(name)


def test_text_is_kept() -> None:
    assert joined_module("build_panel.js") is joined_module("build_panel.js")


def test_style_sheets_are_put_in_once(tmp_path: Path) -> None:
    (tmp_path / "entry.css").write_text('@import "./base.css";\n@import "./more.css";\n.entry {}\n')
    (tmp_path / "more.css").write_text('@import "./base.css";\n.more {}\n')
    (tmp_path / "base.css").write_text(".base {}\n")
    assert stylesheet("entry.css", static=tmp_path).split() == [".base", "{}", ".more", "{}", ".entry", "{}"]


def test_other_style_imports_are_refused(tmp_path: Path) -> None:
    (tmp_path / "entry.css").write_text("@import url(https://example.org/a.css);\n")
    with pytest.raises(ModuleError, match=r"entry\.css: only"):
        stylesheet("entry.css", static=tmp_path)


def test_panel_takes_nothing_from_elsewhere_and_parses_no_html() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")  # the name of a language, no address
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "http://",
            "https://",
        ):
            assert word not in text, f"{path.name} has {word}"
    for path in STATIC.glob("*.css"):
        assert "url(" not in path.read_text(), path.name
