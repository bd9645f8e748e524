"""Numbers side by side: LANES float32 that compiled code holds in a register, or in several where those are short.

A loop over outputs that LLVM makes vectors of reads and writes them at every input, and asks first whether arrays
overlap. Here a kernel says itself what stays in registers. Products and sums may be contracted, as in loops with
fastmath={"contract"}; each lane computes what a loop over places would, to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES: Final = 16
FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
WHOLES: Final = ir.VectorType(ir.IntType(32), LANES)
CONTRACT: Final = ("contract",)
ABREAST: Final = 8
"""Of float64."""
DOUBLES: Final = ir.VectorType(ir.DoubleType(), ABREAST)
ZERO_EXPONENT: Final = 127
MANTISSA: Final = 23
FLOOR: Final = f"llvm.floor.v{LANES}f32"


class Lanes(types.Type):
    """Numba's name for them."""


LANES_TYPE: Final = Lanes("Lanes")


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOATS)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Where value `at` of a flat array stands."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _all(builder: Any, value: Any) -> Any:
    """The same value in every lane."""
    nothing = ir.Constant(FLOATS, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(WHOLES, [0] * LANES))


def _load(_typing: Any, array: Any, _at: Any) -> Any:
    """array[at : at + LANES] of a flat float32 array."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _address(context, builder, signature.args[0], *given)
        return builder.load(builder.bitcast(place, FLOATS.as_pointer()), align=4)

    return LANES_TYPE(array, types.intp), code


def _store(_typing: Any, array: Any, _at: Any, _value: Any) -> Any:
    """array[at : at + LANES] = value."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _address(context, builder, signature.args[0], *given[:2])
        builder.store(given[2], builder.bitcast(place, FLOATS.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), code


def _spread(_typing: Any, array: Any, _at: Any) -> Any:
    """array[at] in every lane."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _all(builder, builder.load(_address(context, builder, signature.args[0], *given), align=4))

    return LANES_TYPE(array, types.intp), code


def _every(_typing: Any, _value: Any) -> Any:
    """One float32 in every lane."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return _all(builder, given[0])

    return LANES_TYPE(types.float32), code


def _of_two(work: Callable[[Any, Any, Any], Any]) -> Any:
    """An operation on two."""

    def operation(_typing: Any, _one: Any, _other: Any) -> Any:
        def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            return work(builder, *given)

        return LANES_TYPE(LANES_TYPE, LANES_TYPE), code

    return intrinsic(operation)


plus: Final = _of_two(lambda builder, one, other: builder.fadd(one, other, flags=CONTRACT))
minus: Final = _of_two(lambda builder, one, other: builder.fsub(one, other, flags=CONTRACT))
times: Final = _of_two(lambda builder, one, other: builder.fmul(one, other, flags=CONTRACT))
over: Final = _of_two(lambda builder, one, other: builder.fdiv(one, other))
least: Final = _of_two(lambda builder, one, other: builder.select(builder.fcmp_ordered("<", one, other), one, other))
most: Final = _of_two(lambda builder, one, other: builder.select(builder.fcmp_ordered(">", one, other), one, other))


def _whole(_typing: Any, _value: Any) -> Any:
    """The largest whole number that is not larger."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        floor = builder.module.globals.get(FLOOR)
        return builder.call(floor or ir.Function(builder.module, ir.FunctionType(FLOATS, [FLOATS]), FLOOR), given)

    return LANES_TYPE(LANES_TYPE), code


def _two_to(_typing: Any, _value: Any) -> Any:
    """2 to the power of whole numbers between -126 and 127."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        power = builder.fptosi(given[0], WHOLES)
        power = builder.add(power, ir.Constant(WHOLES, [ZERO_EXPONENT] * LANES))
        return builder.bitcast(builder.shl(power, ir.Constant(WHOLES, [MANTISSA] * LANES)), FLOATS)

    return LANES_TYPE(LANES_TYPE), code


def _swap(_typing: Any, array: Any, _one: Any, _other: Any) -> Any:
    """ABREAST values of a flat float64 array from `one` on and as many from `other` on: the smaller of each two go to
    the first place.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        places = [_address(context, builder, signature.args[0], given[0], at) for at in given[1:]]
        places = [builder.bitcast(place, DOUBLES.as_pointer()) for place in places]
        one, other = (builder.load(place, align=8) for place in places)
        for order, place in zip("<>", places, strict=True):
            builder.store(builder.select(builder.fcmp_ordered(order, one, other), one, other), place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), code


load: Final[Any] = intrinsic(_load)
store: Final[Any] = intrinsic(_store)
spread: Final[Any] = intrinsic(_spread)
every: Final[Any] = intrinsic(_every)
whole: Final[Any] = intrinsic(_whole)
two_to: Final[Any] = intrinsic(_two_to)
swap: Final[Any] = intrinsic(_swap)
