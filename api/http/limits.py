"""How large a request may be, and in which form: decided before anything is read, and again while it comes in."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import HttpRefusal, response_to

_DISCARDED_TIMES_LIMIT = 4
_DISCARDED_SECONDS = 10.0


class BodyLimit:
    """Refuses bodies above a size (413) and compressed ones (415), chunked bodies as well."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        if refusal is not None:
            # Who asks first whether to send the body has not sent it.
            if "expect" not in headers:
                await self._discard(receive)
            await response_to(scope, refusal)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                if message.get("more_body"):
                    await self._discard(receive)
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    async def _discard(self, receive: Receive) -> None:
        """Take the rest of a body, within reason: many clients read no answer before they have sent everything."""
        left = _DISCARDED_TIMES_LIMIT * self._max_bytes
        with anyio.move_on_after(_DISCARDED_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return

    def _refusal(self, headers: Headers) -> HttpRefusal | None:
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_bytes:
            return self._too_large()
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            message = "compressed bodies are not taken: send it without Content-Encoding"
            return HttpRefusal(415, "COMPRESSED_BODY", message, headers={"Accept-Encoding": "identity"})
        return None

    def _too_large(self) -> HttpRefusal:
        return HttpRefusal(
            413,
            "BODY_TOO_LARGE",
            f"the body has more than {self._max_bytes} bytes: send it in parts",
            headers={"Connection": "close"},
            params={"limit": self._max_bytes},
        )
