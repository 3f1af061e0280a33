"""Who asks, and whether they may: the one place where every route goes through.

Without a token everybody who reaches the service may do everything, which is why it then listens to this machine
only. Roles come behind `Authoriser` and change no route.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Depends, Request

from api.http.problems import HttpRefusal, bad_header
from dispatcher.actor import Actor

if TYPE_CHECKING:
    from api.bootstrap import Services

ANONYMOUS = "anonymous"
TOKEN_HOLDER = "token"
# What a header can hold without questions of encoding.
_HEADER_TEXT = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?")


class Forbidden(HttpRefusal):
    """The caller may not do this."""

    def __init__(self, actor: Actor, action: str, kind: str) -> None:
        super().__init__(
            403,
            "FORBIDDEN",
            f"{actor.principal} may not {action} {kind.replace('_', ' ')}",
            params={"action": action, "kind": kind},
        )


class Authoriser(Protocol):
    """Decides who may do what."""

    def __call__(self, actor: Actor, action: str, kind: str, /) -> None:
        """Return if the actor may; `action` is `read`, `write`, `delete`, `plan`, `cancel` or `accept`.

        Raises:
            Forbidden: if not.
        """


def everybody_may(actor: Actor, action: str, kind: str) -> None:
    """Whoever got past the token may do everything."""


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    services: Services = request.app.state.services
    return services


def permitted(action: str, kind: str) -> Any:
    """A dependency that gives the `Actor` of a request who may do this.

    Raises:
        HttpRefusal: 401 for a missing or wrong token, 400 for headers that cannot be read.
        Forbidden: if the actor may not.
    """

    # A coroutine, so that the cheapest routes need no trip to a thread for it.
    async def actor(request: Request) -> Actor:
        services = services_of(request)
        found = actor_of(request, services)
        services.authorise(found, action, kind)
        return found

    return Depends(actor)


def actor_of(request: Request, services: Services) -> Actor:
    """The actor of a request by its headers `Authorization`, `X-Principal` and `X-Reason`."""
    default = ANONYMOUS
    token = services.settings.token
    if token is not None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            given.strip().encode(), token.get_secret_value().encode()
        ):
            raise HttpRefusal(
                401,
                "UNAUTHENTICATED",
                "the header Authorization holds no valid token",
                headers={"WWW-Authenticate": "Bearer"},
            )
        default = TOKEN_HOLDER
    principal = _header(request, "X-Principal") or default
    request.state.principal = principal
    return Actor(services.settings.tenant, principal, _header(request, "X-Reason"))


def _header(request: Request, name: str) -> str | None:
    given = request.headers.get(name)
    if given is None or not given:
        return None
    if not _HEADER_TEXT.fullmatch(given):
        raise bad_header(name, "has to hold 1 to 200 printable ASCII characters")
    return given
