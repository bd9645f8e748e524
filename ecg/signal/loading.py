"""Compiled kernels loaded without the compiler that made them: half the time, and 60 MiB less.

Before it reads a kernel from its cache Numba gets ready to compile: types and code for all of NumPy (SciPy's linear
algebra with it), its memory management compiled anew; and it keeps each kernel's intermediate code, for others to
inline. None of that is needed to call what is compiled. What follows goes by private names of Numba, so
`ecg.signal.compiled.build` tries it in a process of its own before any program does it. A kernel that has to be
compiled after all, for arrays of another kind, finds the compiler as it always was.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

UNNEEDED: Final = ("cffi", "scipy.linalg")
"""What Numba imports where it is installed, to compile calls of its functions."""


@contextmanager
def lightly() -> Iterator[None]:
    """Within, Numba is imported, and kernels come out of its cache, without its compiler.

    Raises ImportError or AttributeError where Numba is another than this is written for.
    """
    with ExitStack() as changed:
        for name in UNNEEDED:
            if name not in sys.modules:
                sys.modules[name] = None  # type: ignore[assignment]
                changed.callback(sys.modules.pop, name)
        caching, codegen, made, running, registry, datamodel = (
            importlib.import_module(f"numba.core.{name}")
            for name in ("caching", "codegen", "runtime.nrtdynmod", "runtime.nrt", "registry", "datamodel")
        )
        runtime = running.rtsys
        if runtime._init:  # somebody compiles here already
            yield
            return
        unserialize = codegen.JITCodeLibrary._unserialize
        for holder, name, instead in (
            (caching.Cache, "load_overload", _from_cache),
            (codegen.CPUCodeLibrary, "_unserialize", lambda *given: _lean(unserialize(*given))),
            (made, "compile_nrt_functions", _nothing),
        ):
            changed.callback(setattr, holder, name, vars(holder)[name])
            setattr(holder, name, instead)
        changed.callback(_with_linear_algebra)
        context = registry.cpu_target.target_context
        runtime.initialize(context)
        changed.callback(setattr, runtime, "_init", False)  # whoever compiles needs all of it
        context.data_model_manager = datamodel.default_manager
        yield


def _from_cache(cache: Any, signature: Any, context: Any) -> Any:
    """`Cache.load_overload`, but the compiler is not made ready."""
    with cache._guard_against_spurious_io_errors():
        return cache._load_overload(signature, context)


def _lean(library: Any) -> Any:
    """A kernel's library without its intermediate code."""
    library._shared_module = None
    return library


def _with_linear_algebra() -> None:
    """Whoever compiles later may use SciPy's, which Numba was kept from finding."""
    asked = sys.modules.get("numba.np.arraymath")
    if asked is not None:
        asked._HAVE_BLAS = importlib.util.find_spec("scipy") is not None  # type: ignore[attr-defined]


def _nothing(_context: Any) -> None:
    """In the place of code that every compiled kernel holds already."""
