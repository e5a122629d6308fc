"""Make every sample model. Needs onnx, numpy and scikit-learn; no TensorRT, no GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import make_broken
import make_control_flow
import make_digits
import make_light_resnet50
import make_transformer
from sample_writing import run_script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def make(folder: Path) -> None:
    """Write every sample model into a folder."""
    # The folder must be there before the script that takes either a file or a folder looks at it.
    folder.mkdir(parents=True, exist_ok=True)
    for script in (make_digits, make_transformer, make_control_flow, make_light_resnet50, make_broken):
        script.make(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make all models in the folder given on the command line."""
    run_script(__doc__, make, arguments)


if __name__ == "__main__":
    main()
