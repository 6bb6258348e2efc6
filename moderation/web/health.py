"""Health checks: whether to restart the process (live), and whether to send it requests (ready). Both answer quickly."""

from __future__ import annotations

import asyncio
import logging

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from typing_extensions import TypedDict

from moderation.core.problem import Problem
from moderation.learning import store as training_state
from moderation.services import services_of
from moderation.web.operations import Media, operation

log = logging.getLogger("moderation.web.health")

STARVED = 30.0
"""Seconds without a free connection for readers, after which a restart is better."""
PATIENCE = 2.0
"""Seconds that the database has to answer: callers have deadlines of their own."""


@operation("GET", "/health/live", answers={200: Media("text/plain"), 503: Media("text/plain")}, tag="operations")
async def get_liveness(request: Request) -> Response:
    """Whether the process answers and readers can get a database connection. Never waits."""
    seconds = services_of(request).database.starved()
    if seconds >= STARVED:
        said = f"no connection to the database could be had for {seconds:.0f} s\n"
        return PlainTextResponse(said, 503, {"Cache-Control": "no-store"})
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


class Readiness(TypedDict):
    """`status`: ready, degraded or not ready. `checks`: each `ok`, or what is wrong in words. `instance` names this service to
    the command `check`, and `model` all that serves: the base, and a digest of the sites' corrections."""

    status: str
    checks: dict[str, str]
    instance: str
    model: str


@operation("GET", "/health/ready", answers={200: Readiness, 503: Readiness}, tag="operations")
async def get_readiness(request: Request) -> Response:
    """Whether the database answers and can store, and the model is loaded.

    A broken model or second reader holds comments, and is a warning, not an outage.
    """
    services = services_of(request)
    checks: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            async with services.database.reading() as session:
                await session.fetch("SELECT 1")
                outdated = await training_state.outdated(session)
            checks["database"] = await services.database.trouble() or "ok"
            checks["erasure"] = f"models to retrain: {', '.join(outdated)}" if outdated else "ok"
            checks["models folder"] = await services.models_room.answer() or "ok"
    except TimeoutError:
        checks.setdefault("database", f"no answer within {PATIENCE:.0f} s")
    except Problem as problem:
        checks["database"] = problem.detail
    except Exception as error:  # a file that is no database, say
        log.warning("the database cannot be read", exc_info=error)
        checks["database"] = f"cannot be read ({type(error).__name__})"
    checks["model"] = services.scorer.problem or "ok"
    checks["reader"] = services.scorer.reader.said
    checks["proxy"] = services.proxy.said
    well = checks["database"] == "ok"
    best = checks["model"] == "ok" and checks.get("models folder") == "ok" and not services.scorer.reader.problem
    status = "not ready" if not well else "ready" if best else "degraded"
    told: Readiness = {
        "status": status,
        "checks": checks,
        "instance": services.signer.instance(),
        "model": await services.scorer.served(),
    }
    return Response(
        orjson.dumps(told),
        200 if well else 503,
        {"Cache-Control": "no-store"},
        "application/json",
    )


routes = [get_liveness, get_readiness]
