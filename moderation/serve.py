"""`serve`: the service as a process, on one worker or on several."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Annotated, Any

from typer import Option

from moderation.core.problem import Unavailable
from moderation.settings import SettingsError, load


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
    log_to_stderr(settings.log_level)
    raise_descriptors()

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
        asyncio.run(prepare(settings, lambda text: print(text, flush=True)))
        uvicorn.run("moderation.app:from_environment", factory=True, workers=workers, **common)
        return
    last_resort = LastResort(settings.grace + REST)
    app = create_app(settings, say=lambda text: print(text, flush=True), last_resort=last_resort)
    settle_memory()
    server = uvicorn.Server(uvicorn.Config(app, **common))
    print(f"Serving on {settings.base} (moderators: {settings.base}/moderate)", flush=True)
    for ending in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after the shutdown; it has no further effect
        signal.signal(ending, lambda *_: None)
    try:
        server.run()
    except SystemExit:  # uvicorn's own error exit, with its own status
        server.started = False
    if not server.started:
        raise Unavailable("The service did not start; see the lines above.")


commands = {"serve": serve}
