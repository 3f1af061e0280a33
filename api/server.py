"""The process of `muster serve`: a socket, uvicorn on it, and an orderly end."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

PORTS_TRIED = 50
# Streams of progress are open as long as their runs; those who follow take them up again.
GRACE_SECONDS = 3
# A phone or a load balancer that asks every half minute keeps its connection.
KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048


class _Announcing(uvicorn.Server):
    """A server that says when it can be reached, and tells the application when it ends: some streams have no end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stopping = True
        await super().shutdown(sockets)


def listen(host: str, port: int, *, or_next: bool = False) -> socket.socket:
    """A socket that listens; `or_next` takes the next free port instead of one in use. Port 0 is any free one.

    Raises:
        OSError: if the port is in use, or the host is no address of this machine.
    """
    for candidate in range(port, min(port + PORTS_TRIED, 65536) if or_next and port else port + 1):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address[:2], family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            busy = error
    raise busy


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds what listens."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: FastAPI, listener: socket.socket, announce: Callable[[], None]) -> bool:
    """Serve until SIGINT or SIGTERM, then end in order; whether it ever could be reached. `announce` is called then."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = _Announcing(config, app, announce)
    # uvicorn raises the signal again once it has ended; whoever called has things to put away, too.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return server.started
