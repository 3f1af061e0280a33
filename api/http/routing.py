"""Routes that know their query parameters: one that is not theirs is refused instead of being passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from api.http.parameters import parameter_issues
from dispatcher.errors import InvalidInput, Issue
from dispatcher.validate_values import did_you_mean, shown


class KnowingRoute(APIRoute):
    """A route that answers 422 to query parameters that it does not have, and to a second value where it takes one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        known = dict(_parameters(self.dependant))

        async def knowing(request: Request) -> Response:
            issues = _issues(request.query_params, known)
            return await (self._refuse(request, issues) if issues else answer(request))

        return knowing

    async def _refuse(self, request: Request, issues: list[Issue]) -> Response:
        """Who asks is looked at first, and whatever else is wrong is told too; only then is the request refused."""

        async def refuse(**_: object) -> None:
            raise InvalidInput(issues)

        twin = copy(self)
        twin.dependant = replace(self.dependant, call=refuse)
        try:
            return await APIRoute.get_route_handler(twin)(request)
        except RequestValidationError as error:
            raise InvalidInput([*issues, *parameter_issues(error.errors())]) from None


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """The names of a route's query parameters, each with whether it may be given several times."""
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, inner in annotation.model_fields.items():
                yield inner.alias or name, _is_list(inner.annotation)
        else:
            yield field.alias, _is_list(annotation)
    for inner_dependant in dependant.dependencies:
        yield from _parameters(inner_dependant)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(choice) is list for choice in get_args(annotation))


def _issues(given: QueryParams, known: Mapping[str, bool]) -> list[Issue]:
    issues = []
    for name, times in Counter(name for name, _ in given.multi_items()).items():
        if name not in known:
            message = f"{shown(name)} is no parameter here"
            choice = f"Use one of {', '.join(known)}." if known else "Leave it out: there are no parameters here."
            remedy = did_you_mean(name[:80], known) or choice
            issues.append(Issue(name, "UNKNOWN_FIELD", message, remedy, {"known": list(known)}))
        elif times > 1 and not known[name]:
            message = f"the parameter is given {times} times"
            issues.append(Issue(name, "DUPLICATE_KEY", message, "Give it once.", {"times": times}))
    return issues
