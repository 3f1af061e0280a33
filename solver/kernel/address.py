"""Calls of a large function through its address, so that its callers are compiled without it.

numba copies all that a function calls into it and optimizes the whole anew; of what composes teams there would be a
copy in each function above it. An address is known only once a process has loaded the function, so it is passed as a
number, and compiled code that is kept holds none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import config, types
from numba.extending import intrinsic

from solver.kernel.compiled import compile_for


def called_by_address(function: Callable[..., bool], *rest: types.Type) -> Callable[[int, Any], bool]:
    """What compiled code calls with (address, arguments) in the place of a function that tells yes or no.

    The arguments are a case, a day, and others of the types `rest`.

    An address that is not `address_of` this function ends the process.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return lambda _, arguments: function(*arguments)

    # numba's way of being extended (its manual, "Low-level extension API"), which has no types.
    def call(typing: Any, address: Any, arguments: Any) -> Any:  # noqa: ARG001
        tuple_of: Any = types.Tuple
        signature = types.boolean(types.int64, tuple_of([*arguments.types[:2], *rest]))

        def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            address, packed = values
            kinds = signature.args[1].types
            given = [builder.extract_value(packed, place) for place in range(len(kinds))]
            convention = context.call_conv
            function_type = convention.get_function_type(signature.return_type, kinds)
            callee = builder.inttoptr(address, function_type.as_pointer())
            status, result = convention.call_function(builder, callee, signature.return_type, kinds, given)
            with builder.if_then(status.is_error, likely=False):
                convention.return_status_propagate(builder, status)
            return result

        return signature, lower

    called: Any = intrinsic(call)
    return called  # type: ignore[no-any-return]


def address_of(function: Any, *arguments: Any) -> int:
    """Where a function lies that tells yes or no and is compiled for arguments like these; compiles or loads it."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return 0
    kinds = tuple(numba.typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
    compile_for(function, *arguments)
    compiled = function.overloads[kinds]
    address = int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))
    # Called all the same, it would end the process.
    if address == 0 or compiled.signature.return_type != types.boolean:
        raise RuntimeError(f"{function} cannot be called by address")
    return address
