"""Which models the picker of a panel offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_DEEPEST = 3
_MOST = 200


@dataclass(frozen=True)
class ModelChoice:
    """An entry of a model picker: the path, and what to call it."""

    value: str
    label: str


def find_models(model: str | Path | None, more: Iterable[str | Path] = ()) -> list[ModelChoice]:
    """Return the models to choose from, a given file first.

    Args:
        model: A file, which comes first, or a folder to look in; None looks in the current folder.
        more: More files or folders.
    """
    paths: dict[Path, str] = {}
    for place in (model if model is not None else Path.cwd(), *more):
        path = Path(place).expanduser().absolute()
        if path.is_dir():
            for file in _onnx_files(path):
                paths.setdefault(file, str(file.relative_to(path)))
        else:
            paths.setdefault(path, path.name)
    return [ModelChoice(str(path), label) for path, label in list(paths.items())[:_MOST]]


def _onnx_files(folder: Path) -> list[Path]:
    """Return the ONNX files at most three levels below `folder`, the shallowest first; hidden folders are left out."""
    found = []
    for depth in range(_DEEPEST):
        pattern = "/".join(["*"] * depth + ["*.onnx"])
        files = (
            file
            for file in folder.glob(pattern)
            if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        )
        found += sorted(files)
    return found
