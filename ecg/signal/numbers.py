"""Logarithm, exponential and limits of arrays, the same bits on every processor and in compiled code.

NumPy's own logarithm and exponential differ in their last bit with the vector instructions of the processor; the C
library's, taken one by one, do not, and are what compiled kernels call.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log(values: Floats) -> Floats:
    """Natural logarithms of positive numbers, any shape."""
    return np.array(list(map(math.log, values.ravel().tolist()))).reshape(values.shape)


def exp(values: Floats) -> Floats:
    """Exponentials, any shape. Raises OverflowError above 709."""
    return np.array(list(map(math.exp, values.ravel().tolist()))).reshape(values.shape)


def clip(values: Any, low: Any, high: Any) -> NDArray[Any]:
    """Values within limits: numpy.clip without its cost for few values."""
    return np.asarray(np.minimum(np.maximum(values, low), high))
