"""The memory that an engine needs, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtlab._engine_results import MemoryUse
from trtlab._format import format_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from trtlab.build.report import BuildReport

# Okabe and Ito's colours for colour-blind readers: https://jfly.uni-koeln.de/color/
_BLUE, _ORANGE, _GREEN = "#0072B2", "#E69F00", "#009E73"


def memory_parts(memory: MemoryUse) -> list[tuple[str, int, str]]:
    """Return label, bytes and note of each part that is known.

    Scratch memory lies inside the activation memory, so it is a note there and no part of its own.
    """
    parts: list[tuple[str, int, str]] = []
    if memory.weights_bytes is not None:
        parts.append(("Weights", memory.weights_bytes, "once for the engine"))
    if memory.activation_bytes is not None:
        scratch = (
            f"; up to {format_bytes(memory.scratch_bytes)} of it scratch of one layer" if memory.scratch_bytes else ""
        )
        parts.append(
            ("Activations", memory.activation_bytes, f"for each execution context, at the profiles' maximum{scratch}")
        )
    if memory.device_persistent_bytes:
        parts.append(("Persistent", memory.device_persistent_bytes, "for each execution context"))
    return parts


def plot_memory(report: BuildReport) -> Figure:
    """Return one horizontal bar for each part of the device memory that the engine of `report` needs.

    Raises:
        ValueError: The report has no memory figures.
    """
    from trtlab.plots.figure import NotebookFigure

    if report.memory is None:
        raise ValueError("This build did not get as far as memory figures.")
    parts = memory_parts(report.memory)
    total = sum(size for _, size, _ in parts)
    figure = NotebookFigure(figsize=(7, 1.1 + 0.45 * len(parts)), layout="constrained")
    axes = figure.subplots()
    mebibyte = 2**20
    bars = axes.barh(
        [label for label, _, _ in parts],
        [size / mebibyte for _, size, _ in parts],
        color=[_BLUE, _ORANGE, _GREEN][: len(parts)],
    )
    axes.bar_label(bars, labels=[f" {format_bytes(size)}" for _, size, _ in parts], color="gray")
    axes.invert_yaxis()
    axes.set_xlabel(f"MiB of device memory, from the {report.memory.source}", color="gray")
    axes.set_title(f"One execution context needs {format_bytes(total)}, weights included", loc="left", color="gray")
    axes.margins(x=0.18)
    # Gray text on a transparent background is readable in the light and in the dark theme.
    axes.tick_params(colors="gray")
    axes.grid(axis="x", color="gray", alpha=0.25)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    return figure
