"""Named arrays that compiled code takes as one pointer.

A named tuple of eighty arrays goes to a function as some six hundred numbers, each time: that is most of the work of
a small function, and most of its compilation. Here the numbers that describe the arrays lie in memory of their own,
and what is passed is where. They never change while compiled code runs, and it is told so, so it reads each but once.

`NUMBA_DISABLE_JIT=1` leaves an ordinary object with arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, register_model, typeof_impl, unbox
from numba.np.arrayobj import make_array

WORD = 8
"""Bytes of every number that describes an array (numba's `ArrayModel`): two owners, items, bytes per item, data,
then length and stride of each dimension."""
_NO_OWNERS = (0, 0)


@dataclass(frozen=True)
class Pointed:
    """The base of dataclasses whose fields are all arrays; they may be written into and never replaced."""

    def __post_init__(self) -> None:
        words: list[int] = []
        for field in fields(self):
            array: np.ndarray[Any, Any] = getattr(self, field.name)
            words += (*_NO_OWNERS, array.size, array.itemsize, array.ctypes.data, *array.shape, *array.strides)
        object.__setattr__(self, "_words", np.array(words, dtype=np.int64))

    @property
    def address(self) -> int:
        """Where the descriptions of the arrays lie."""
        words: np.ndarray[Any, Any] = self.__dict__["_words"]
        return int(words.ctypes.data)


class PointedType(types.Type):
    """What numba knows of such an object: the type of each array and how many words before its description."""

    def __init__(self, title: str, arrays: tuple[tuple[str, types.Array], ...]) -> None:
        self.arrays = dict(arrays)
        self.words_before: dict[str, int] = {}
        words = 0
        for name, array in arrays:
            self.words_before[name] = words
            words += len(_NO_OWNERS) + 3 + 2 * array.ndim
        # The name goes into that of every compiled function, so it must be short.
        text = ",".join(f"{name}:{array}" for name, array in arrays)
        super().__init__(name=f"{title}{hashlib.sha256(text.encode()).hexdigest()[:12]}")


register_model(PointedType)(models.OpaqueModel)


@typeof_impl.register(Pointed)
def _type_of(value: Pointed, context: Any) -> PointedType:
    arrays = ((field.name, typeof_impl(getattr(value, field.name), context)) for field in fields(value))
    return PointedType(type(value).__name__, tuple(arrays))


# What follows is numba's way of being extended (its manual, "Low-level extension API"), which has no types.
@unbox(PointedType)  # type: ignore[no-untyped-call,untyped-decorator]
def _unbox(kind: PointedType, value: Any, call: Any) -> NativeValue:  # noqa: ARG001
    address = call.pyapi.object_getattr_string(value, "address")
    pointer = call.pyapi.long_as_voidptr(address)
    call.pyapi.decref(address)
    return NativeValue(pointer)  # type: ignore[no-untyped-call]


@infer_getattr
class _Fields(AttributeTemplate):
    key = PointedType

    def generic_resolve(self, kind: PointedType, name: str) -> Any:  # type: ignore[override]
        return kind.arrays.get(name)


@lower_getattr_generic(PointedType)  # type: ignore[no-untyped-call,untyped-decorator]
def _lower_field(context: Any, builder: Any, kind: PointedType, pointer: Any, name: str) -> Any:
    array = make_array(kind.arrays[name])(context, builder)  # type: ignore[no-untyped-call]
    never_changes = builder.module.add_metadata([])
    word = kind.words_before[name]

    def next_word(wanted: ir.Type) -> ir.Value:
        nonlocal word
        place = builder.gep(pointer, [ir.Constant(ir.IntType(64), WORD * word)], inbounds=True)
        value = builder.load(builder.bitcast(place, wanted.as_pointer()))
        value.set_metadata("invariant.load", never_changes)
        word += 1
        return value

    for part, wanted in zip(array._datamodel._fields, array._datamodel.get_value_type().elements, strict=True):
        if isinstance(wanted, ir.ArrayType):
            packed = ir.Constant(wanted, ir.Undefined)
            for place in range(wanted.count):
                packed = builder.insert_value(packed, next_word(wanted.element), place)
            setattr(array, part, packed)
        else:
            setattr(array, part, next_word(wanted))
    return array._getvalue()
