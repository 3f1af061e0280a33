"""What numba knows of `Pointed` objects: one pointer, and where behind it each array is described.

The descriptions never change while compiled code runs, and it is told so, so it reads each but once.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, register_model, typeof_impl, unbox
from numba.np.arrayobj import make_array

from solver.kernel.pointed import NO_OWNERS, Pointed

WORD = 8
"""Bytes of each number of a description."""
KNOWN_TYPE = "_numba_type"
"""Where an object keeps its type."""


class PointedType(types.Type):
    """What numba knows of such an object: the type of each array and how many words before its description."""

    def __init__(self, title: str, arrays: tuple[tuple[str, types.Array], ...]) -> None:
        self.arrays = dict(arrays)
        self.words_before: dict[str, int] = {}
        words = 0
        for name, array in arrays:
            self.words_before[name] = words
            words += len(NO_OWNERS) + 3 + 2 * array.ndim
        # The name goes into that of every compiled function, so it must be short.
        text = ",".join(f"{name}:{array}" for name, array in arrays)
        super().__init__(name=f"{title}{hashlib.sha256(text.encode()).hexdigest()[:12]}")


register_model(PointedType)(models.OpaqueModel)


@typeof_impl.register(Pointed)
def _type_of(value: Pointed, context: Any) -> PointedType:
    # numba asks at every call, and the arrays are never replaced: told once, a call takes half a millisecond less.
    known: PointedType | None = value.__dict__.get(KNOWN_TYPE)
    if known is None:
        arrays = ((field.name, typeof_impl(getattr(value, field.name), context)) for field in fields(value))
        known = PointedType(type(value).__name__, tuple(arrays))
        object.__setattr__(value, KNOWN_TYPE, known)
    return known


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
