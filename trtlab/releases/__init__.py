"""What Python API each TensorRT release has: read once from the releases' own bindings, asked here without TensorRT.

    >>> from trtlab import releases
    >>> releases.has("BuilderFlag.FP16", "tensorrt", "10.16.1.11")
    True
    >>> releases.has("BuilderFlag.FP16", "tensorrt", "11.0.0.114")
    False

The data is `api_surface.json`; `python -m trtlab.releases.read_wheels` makes it again.
"""

from __future__ import annotations

from trtlab.releases._surface import (
    Flavour,
    Kind,
    Release,
    Symbol,
    UnknownReleaseError,
    closest_release,
    describe,
    has,
    releases,
    releases_with,
    symbols,
)

__all__ = [
    "Flavour",
    "Kind",
    "Release",
    "Symbol",
    "UnknownReleaseError",
    "closest_release",
    "describe",
    "has",
    "releases",
    "releases_with",
    "symbols",
]
