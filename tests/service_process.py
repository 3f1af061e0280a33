"""A real server for tests: `muster serve` as a process of its own, with whatever workers it starts."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from api.cli import app

MUSTER = [sys.executable, "-m", "api.cli"]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Server:
    """`banner` holds the lines of its start, up to the one that says how to stop it."""

    process: subprocess.Popen[str]
    address: str
    banner: list[str]
    log: Path

    def lines_until(self, word: str) -> list[str]:
        """What it prints next, up to the line that holds a word."""
        assert self.process.stdout is not None
        found = []
        for line in self.process.stdout:
            found.append(line.rstrip())
            if word in line:
                return found
        raise AssertionError(f"no {word!r} in {found}; the log says {self.log.read_text(encoding='utf-8')}")


def environment(**settings: str) -> dict[str, str]:
    """The environment without any setting of Muster, and with these."""
    kept = (name for name in os.environ if not name.startswith("MUSTER_") or name == "MUSTER_KERNEL_CACHE")
    return {name: os.environ[name] for name in kept} | settings


def muster(folder: Path, *arguments: object, **settings: str) -> Result:
    """A command, run to its end in this process; only an exit code may come out of it."""
    env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("MUSTER_")}
    with chdir(folder):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=env | settings)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def muster_process(folder: Path, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    command = [*MUSTER, *(str(argument) for argument in arguments)]
    env = environment(**settings)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    folder: Path, *arguments: object, command: str = "serve", stop: signal.Signals = signal.SIGTERM, **settings: str
) -> Iterator[Server]:
    """A server that can be reached, or a worker, in a folder; at the end it is told to stop, and has to in order."""
    if command == "serve" and "--port" not in arguments:
        arguments = (*arguments, "--port", 0)
    log = folder / f"{command}-{free_port()}.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*MUSTER, command, *(str(argument) for argument in arguments)],
            cwd=folder,
            env=environment(MUSTER_POLL_SECONDS="0.05", **settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    server = Server(process, "", [], log)
    try:
        server.banner = server.lines_until("Ctrl-C")
        server.address = next(iter(_ADDRESS.findall("\n".join(server.banner))), "")
        yield server
        process.send_signal(stop)
        assert server.lines_until("Stopped.")
        assert process.wait(30) == 0
        assert "Traceback" not in log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
