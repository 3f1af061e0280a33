"""Entry points: HTTP, command line, worker, console; the only place where the parts are put together."""
