"""What servers and routers leave to do about addresses and methods: their encoding, slashes inside ids, and HEAD."""

from __future__ import annotations

from urllib.parse import unquote, unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import HttpRefusal, response_to


class Utf8Only:
    """Refuses addresses that are not UTF-8: read with replacement characters, different ids would be the same."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for part, given in (("path", scope.get("raw_path") or b""), ("query", scope.get("query_string") or b"")):
                if not _is_utf8(given):
                    message = f"the {part} of the address is not UTF-8: percent-encode the bytes of its UTF-8 text"
                    refusal = HttpRefusal(400, "BAD_ADDRESS", message, params={"part": part})
                    await response_to(scope, refusal)(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _is_utf8(given: bytes) -> bool:
    try:
        unquote_to_bytes(given).decode()
    except UnicodeDecodeError:
        return False
    return True


class SlashesInIds:
    """Leaves `%2F` in a path encoded, so that an id with a slash is one part of the path and not two.

    `parameters.PathId` decodes it, and `%25`, which then has to stay encoded too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None and b"%2" in raw:
            text = raw.partition(b"?")[0].decode("latin-1").replace("%2f", "%2F")
            # Not a copy: what the router adds to the scope is read by those around it.
            scope["path"] = unquote(text.replace("%25", "%2525").replace("%2F", "%252F"))
        await self._app(scope, receive, send)


class Head:
    """Answers HEAD as GET without its body, wherever there is a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = False

        async def without_body(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered = True
            elif message.get("more_body"):
                # A stream has nobody to go on for; this is how a server says so.
                raise OSError("the answer to HEAD has no body")

        async def until_answered() -> Message:
            return {"type": "http.disconnect"} if answered else await receive()

        scope["method"] = "GET"
        try:
            await self._app(scope, until_answered, without_body)
        except (ClientDisconnect, OSError):
            if not answered:
                raise
        finally:
            scope["method"] = "HEAD"
