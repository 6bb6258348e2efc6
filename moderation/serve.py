"""`serve`: the service as a process, on one worker or on several."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from typing import Annotated, Any

from typer import Option

from moderation.core.problem import Unavailable
from moderation.settings import Settings, SettingsError, load, unknown


def serve(
    host: Annotated[str | None, Option("--host", metavar="HOST", help="instead of MODERATION_HOST")] = None,
    port: Annotated[int | None, Option("--port", metavar="PORT", help="instead of MODERATION_PORT")] = None,
    workers: Annotated[int, Option("--workers", metavar="N", min=1, help="more than one only on PostgreSQL")] = 1,
) -> None:
    """Run the service until a stop signal; requests in flight finish."""
    import uvicorn

    from moderation.app import create_app, prepare, settle_memory
    from moderation.core.logs import log_to_stderr
    from moderation.web.connections import raise_descriptors
    from moderation.web.shutdown import REST, LastResort

    given = {"host": host, "port": port}
    settings = load(**{name: value for name, value in given.items() if value is not None})
    if workers > 1 and not settings.is_postgres:
        raise SettingsError(
            "more than one worker needs PostgreSQL (MODERATION_DATABASE=postgresql://…): on one SQLite file they would "
            "only wait for each other"
        )
    log_to_stderr(settings.log_level, settings.log)
    raise_descriptors()

    for sentence in unknown(os.environ):
        logging.getLogger("moderation").warning(sentence)
    first: list[str] = []
    """What the first start has to say, once its address answers."""
    common: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": "moderation.web.protocol:BoundedProtocol",
        "ws": "none",  # only HTTP is supported, whatever is installed
        "loop": "uvloop" if sys.platform != "win32" else "auto",
        "access_log": False,  # 46 µs a request, and addresses in a log
        "proxy_headers": False,  # only MODERATION_TRUSTED_PROXIES counts
        "server_header": False,
        "log_config": None,
        "timeout_graceful_shutdown": settings.grace,
        "backlog": 2048,
    }
    if workers > 1:
        for name in ("host", "port"):
            os.environ[f"MODERATION_{name.upper()}"] = str(getattr(settings, name))
        asyncio.run(prepare(settings, first.append))
        threading.Thread(target=say_once_it_answers, args=(settings, first), daemon=True).start()
        uvicorn.run("moderation.app:from_environment", factory=True, workers=workers, **common)
        return
    last_resort = LastResort(settings.grace + REST)
    app = create_app(settings, say=first.append, last_resort=last_resort)
    settle_memory()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                say_serving(settings, first)

    server = Server(uvicorn.Config(app, **common))
    for ending in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after the shutdown; it has no further effect
        signal.signal(ending, lambda *_: None)
    try:
        server.run()
    except SystemExit:  # uvicorn's own error exit, with its own status
        server.started = False
    if not server.started:
        raise Unavailable("The service did not start; see the lines above.")


def say_serving(settings: Settings, first: Sequence[str]) -> None:
    """The address, said once it answers; then the first sign-in, where nobody has signed in yet."""
    lines = (f"Serving on {settings.base} (moderators: {settings.base}/moderate)", *first)
    print("\n".join(lines), flush=True)


def say_once_it_answers(settings: Settings, first: Sequence[str]) -> None:
    """Of several workers, asks until the first one answers. In a thread that ends with the process."""
    while True:
        try:
            with urllib.request.urlopen(f"http://{settings.reach}/health/live", timeout=2):
                return say_serving(settings, first)
        except OSError:
            time.sleep(0.1)


commands = {"serve": serve}
