"""engine/ uses of TensorRT only what every release has, or asks first: held against the API data of trtlab.releases."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trtlab.engine
from trtlab import releases
from trtlab.releases import Release

FOLDER = Path(trtlab.engine.__file__).parent
# Which TensorRT class stands behind a variable or attribute of engine/, by its name.
CLASSES = {
    "module": "",
    "builder": "Builder",
    "config": "IBuilderConfig",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "error": "ParserError",
    "optimization_profile": "IOptimizationProfile",
    "tensor": "ITensor",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "inspector": "EngineInspector",
    "serialized": "IHostMemory",
    "cache": "ITimingCache",
}
# Elsewhere these names mean something else.
ONLY_IN = {"error": "parsing.py", "tensor": "parsing.py"}
# Not asked for themselves, but something that came into TensorRT together with them is.
TOGETHER = {
    "IBuilderConfig.num_compute_capabilities": "IBuilderConfig.set_compute_capability",
    "IBuilderConfig.progress_monitor": "IProgressMonitor",
}


def used_symbols() -> dict[str, str]:
    """Return each `Class.attribute` that engine/ names in its code, with where."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.py")):
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            symbol = symbol_of(part, path.name) if isinstance(part, ast.Attribute) else ""
            if symbol:
                found.setdefault(symbol, f"{path.name}:{part.lineno}")  # type: ignore[attr-defined]
    return found


def symbol_of(part: ast.Attribute, file: str) -> str:
    """Return `ILogger.Severity` for `module.ILogger.Severity`, `Builder.create_network` for `self.builder.create_network`."""
    names = [part.attr]
    inner: ast.expr = part.value
    while True:
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
        if ONLY_IN.get(name, file) != file or name.startswith("__") or names[0].startswith("_"):
            return ""
        if name in CLASSES:
            return ".".join(filter(None, (CLASSES[name], *names)))
        if not isinstance(inner, ast.Attribute):
            return ""
        names.insert(0, name)
        inner = inner.value


def names_asked_for() -> set[str]:
    """Return the words of engine/: an attribute whose name is among them is asked for with hasattr or getattr somewhere."""
    words = set()
    for path in FOLDER.glob("*.py"):
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                words.add(part.value)
    return words


USED, ASKED = used_symbols(), names_asked_for()


def test_the_uses_were_found() -> None:
    for symbol in (
        "Builder.build_serialized_network",
        "BuilderFlag.TF32",
        "IOptimizationProfile.set_shape_input",
        "INetworkDefinition.num_layers",
        "OnnxParser.parse",
        "ParserError.desc",
        "ILogger.Severity",
        "ICudaEngine.create_engine_inspector",
        "ITimingCache.serialize",
        "IHostMemory.nbytes",
    ):
        assert symbol in USED, symbol
    assert len(USED) > 30


@pytest.mark.parametrize("release", releases.releases(), ids=lambda release: f"{release.flavour}-{release.version}")
def test_a_release_has_all_that_is_used_without_asking(release: Release) -> None:
    missing = {
        symbol: where
        for symbol, where in USED.items()
        if not releases.has(symbol, release.flavour, release.version)
        and TOGETHER.get(symbol, symbol).rpartition(".")[2] not in ASKED
    }
    assert missing == {}


@pytest.mark.parametrize("symbol", TOGETHER)
def test_what_came_together_is_there_together(symbol: str) -> None:
    both = [
        {releases.has(name, release.flavour, release.version) for name in (symbol, TOGETHER[symbol])}
        for release in releases.releases()
    ]
    assert both.count({True, False}) == 0
    assert {True} in both
    assert {False} in both


def test_it_would_notice() -> None:
    """The same question, about something that TensorRT 11 and RTX have not any more."""
    assert not releases.has("NetworkDefinitionCreationFlag.EXPLICIT_BATCH", "tensorrt_rtx", "1.7.1.116")
    assert not releases.has("Builder.platform_has_fast_fp16", "tensorrt_rtx", "1.7.1.116")
    part = ast.parse("parsed.builder.platform_has_fast_fp16").body[0]
    assert isinstance(part, ast.Expr)
    assert isinstance(part.value, ast.Attribute)
    assert symbol_of(part.value, "parsing.py") == "Builder.platform_has_fast_fp16"
