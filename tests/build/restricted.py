"""Run a test where the system refuses things: on a full disk, in a folder that may not be written to.

The restriction holds for one thread and for all that it starts, worker processes included, and ends with it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

_CLONE_NEWNS = 0x00020000  # linux/sched.h
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18  # linux/mount.h
_PR_CAPBSET_DROP = 24  # linux/prctl.h
_CAP_DAC_OVERRIDE = 1  # linux/capability.h
_CAPABILITY_VERSION_3 = 0x20080522

_library = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def in_own_thread(*steps: Callable[[], object]) -> None:
    """Run functions one after the other in a thread of their own, and raise here what they raise."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for step in steps:
                step()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def obey_permissions() -> None:
    """Have the permissions of files hold for this thread also if it is root's."""
    if os.geteuid() != 0:
        return
    _check(_library.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0), "give up CAP_DAC_OVERRIDE for programs")
    header, sets = _Header(_CAPABILITY_VERSION_3, 0), (_Capabilities * 2)()
    _check(_library.capget(ctypes.byref(header), sets), "read the capabilities")
    for name in ("effective", "permitted", "inheritable"):
        setattr(sets[0], name, getattr(sets[0], name) & ~(1 << _CAP_DAC_OVERRIDE))
    _check(_library.capset(ctypes.byref(header), sets), "give up CAP_DAC_OVERRIDE")


def mount_small_disk(folder: Path, size: int) -> None:
    """Put a file system of `size` bytes at a folder, for this thread; skips the test where that is not allowed."""
    _own_mounts()
    _check(_library.mount(b"small", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()), "mount a file system")


def make_read_only(folder: Path) -> None:
    """Have a folder be one of a disk that cannot be written to, for this thread."""
    _own_mounts()
    path = os.fsencode(folder)
    _check(_library.mount(path, path, None, _MS_BIND, None), "mount a folder")
    _check(_library.mount(path, path, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None), "mount it again")


def _own_mounts() -> None:
    if _library.unshare(_CLONE_NEWNS) != 0 and ctypes.get_errno() == errno.EPERM:
        pytest.skip("mounting needs CAP_SYS_ADMIN; limits of the file size and permissions are tested everywhere")
    _check(_library.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "keep mounts to this thread")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"could not {what}: {os.strerror(number)}")
