"""Choose the TensorRT that builds: the argument, else `TRTLAB_TENSORRT`, else what can build here."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from trtlab._engine_results import FLAVOUR_TITLES, FlavourName
from trtlab._errors import InputError, MissingError

FLAVOURS: tuple[FlavourName, ...] = ("tensorrt", "tensorrt_rtx")
ENVIRONMENT_VARIABLE = "TRTLAB_TENSORRT"
_INSTALL = {
    "tensorrt": "pip install 'trtlab[tensorrt]' (on a machine with an NVIDIA GPU and driver)",
    "tensorrt_rtx": "pip install tensorrt-rtx",
}


@dataclass(frozen=True)
class Flavour:
    """A TensorRT that was imported and can build.

    Attributes:
        name: `tensorrt` or `tensorrt_rtx`.
        module: The Python module.
        logger: The one logger of this process (TensorRT keeps a reference to the first it is given).
        chosen_because: Why this one.
    """

    name: FlavourName
    module: ModuleType
    logger: Any
    chosen_because: str


class _Unusable(Exception):  # noqa: N818 - a reason, not an error
    """Why a flavour cannot be used here."""


def choose(requested: str | None, make_logger: Any) -> Flavour:  # noqa: ANN401 - a function of a TensorRT module
    """Import and return the flavour to build with.

    Args:
        requested: `tensorrt`, `tensorrt_rtx`, or None to choose.
        make_logger: Makes the logger, given the module.

    Raises:
        InputError: An unknown flavour was asked for.
        MissingError: The flavour that was asked for, or every flavour, cannot build here; says what to install.
    """
    asked, source = requested, "It was asked for."
    if not asked and os.environ.get(ENVIRONMENT_VARIABLE):
        asked, source = os.environ[ENVIRONMENT_VARIABLE], f"{ENVIRONMENT_VARIABLE} asks for it."
    if asked:
        name = _known(asked)
        try:
            module, logger = _load(name, make_logger)
        except _Unusable as reason:
            raise MissingError(
                f"{FLAVOUR_TITLES[name]} cannot build here: {reason} Install: {_INSTALL[name]}"
            ) from reason
        return Flavour(name, module, logger, source)
    reasons: list[str] = []
    for name in FLAVOURS:
        try:
            module, logger = _load(name, make_logger)
        except _Unusable as reason:
            reasons.append(f"{FLAVOUR_TITLES[name]}: {reason}")
            continue
        return Flavour(name, module, logger, "It builds here." if not reasons else f"Not taken: {' '.join(reasons)}")
    raise MissingError(
        "No TensorRT can build here.\n"
        + "\n".join(f"- {reason}" for reason in reasons)
        + f"\nInstall: {_INSTALL['tensorrt_rtx']} (works without a GPU and without a driver)."
    )


def _known(text: str) -> FlavourName:
    normal = text.strip().lower().replace("-", "_")
    for name in FLAVOURS:
        if normal == name:
            return name
    raise InputError(f"There is no TensorRT flavour {text!r}. Known are: {', '.join(FLAVOURS)}.")


def _load(name: FlavourName, make_logger: Any) -> tuple[ModuleType, Any]:  # noqa: ANN401
    """Import a flavour and see that its builder works: `tensorrt` imports without a GPU, but its builder is null there."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise _Unusable("it is not installed.") from error
        raise _Unusable(f"importing it fails: {error}.") from error
    except Exception as error:  # a broken installation can raise anything, and must not stop the other flavour
        raise _Unusable(f"its libraries do not load: {error}.") from error
    if not hasattr(module, "Builder"):
        raise _Unusable(
            "the package is there, but it has no builder (a lean or dispatch runtime, or a broken installation)."
        )
    logger = make_logger(module)
    try:
        builder = module.Builder(logger)
    except Exception as error:
        raise _Unusable(f"its builder does not start, it needs an NVIDIA GPU and driver ({error}).") from error
    if builder is None:
        raise _Unusable("its builder does not start, it needs an NVIDIA GPU and driver.")
    return module, logger
