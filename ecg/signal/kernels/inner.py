"""How functions are compiled that only kernels call: without what Python would need to call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from numba import njit

_LEAN: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
Function = TypeVar("Function", bound=Callable[..., Any])


def inner(function: Function) -> Function:
    """A part of a kernel: half the time to compile."""
    made: Function = njit(**_LEAN)(function)
    return made
