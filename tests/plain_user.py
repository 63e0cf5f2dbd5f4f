"""A user whom the modes of files and folders bind: root is bound by none."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Linux's capabilities that let a process pass over modes, as bits: CAP_DAC_OVERRIDE and
#: CAP_DAC_READ_SEARCH.
_PASS_OVER_MODES = 1 << 1 | 1 << 2
#: `_LINUX_CAPABILITY_VERSION_3`: two structures of effective, permitted and inheritable ones.
_HEADER = struct.pack("Ii", 0x20080522, 0)
_SETS = struct.Struct("6I")


@contextlib.contextmanager
def modes_bind() -> Iterator[None]:
    """Have the modes of files bind this thread, as they do bind any user but root."""
    if os.name != "posix":
        pytest.skip("this system has no modes")
    if os.geteuid() != 0:
        yield
        return
    if not hasattr((libc := ctypes.CDLL(None, use_errno=True)), "capset"):
        pytest.skip("root without capabilities to give up: run as another user")
    before = ctypes.create_string_buffer(_SETS.size)
    _call(libc.capget, before)
    effective, *others = _SETS.unpack(before.raw)
    _call(libc.capset, _SETS.pack(effective & ~_PASS_OVER_MODES, *others))
    try:
        yield
    finally:
        _call(libc.capset, before.raw)


@contextlib.contextmanager
def with_mode(path: Path, mode: int) -> Iterator[None]:
    """Give a file or folder another mode meanwhile, which binds us as well."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with modes_bind():
            yield
    finally:
        path.chmod(before)


def _call(function: ctypes._NamedFuncPointer, sets: object) -> None:
    if function(_HEADER, sets) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
