"""create_app(settings): every edge mounted, every resource opened in the lifespan. Knows all slices; no slice knows it."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier.serving import Classifier
from moderation.articles import api as articles_api
from moderation.articles import public as articles_public
from moderation.comments import public as comments_public
from moderation.comments import public_feeds as feeds
from moderation.comments.thread_cache import Threads
from moderation.core import logs
from moderation.core.problem import MethodNotAllowed, NotFound, Problem, TooLarge
from moderation.core.signing import Signer, parsed_address
from moderation.core.urls import Links
from moderation.db import connect, secure_delete
from moderation.db.database import Database
from moderation.db.files import Look, room
from moderation.db.periodic import Job, Periodic
from moderation.demo import public as demo
from moderation.duplicates import pages as duplicates_pages
from moderation.duplicates.duplicates import catch_up
from moderation.intake import public as intake_public
from moderation.intake import public_embed as embed
from moderation.intake import public_receipts as receipts
from moderation.intake import public_wordpress as wordpress
from moderation.intake.intake import Intake
from moderation.learning import pages as stats
from moderation.learning import pages_shadow as pages_shadow
from moderation.learning.shadow import Shadow
from moderation.outbox import events
from moderation.outbox import pages as mail_pages
from moderation.outbox import public as outbox_public
from moderation.outbox.delivery import Deliverer
from moderation.outbox.letters import Letters
from moderation.outbox.mail_check import MailCheck
from moderation.outbox.smtp import Mail, Smtp
from moderation.outbox.webhooks import Webhooks
from moderation.policy import api as policy_api
from moderation.policy import pages as policy_pages
from moderation.policy import pages_rules as pages_rules
from moderation.policy import pages_what_if as pages_what_if
from moderation.policy.scorer import Scorer
from moderation.policy.what_if import Replay
from moderation.privacy import data_requests as privacy
from moderation.privacy import public as privacy_public
from moderation.privacy import retention
from moderation.queue import api as queue_api
from moderation.queue import api_live, digest, pages_block, pages_empty_spam, pages_row
from moderation.queue import decide as queue
from moderation.queue import pages as queue_pages
from moderation.queue import pages_redact as pages_redact
from moderation.queue import pages_reply as pages_reply
from moderation.queue import public as queue_public
from moderation.settings import Settings
from moderation.settings import load as load_settings
from moderation.sites import store as sites
from moderation.sites.cache import Directory
from moderation.sites.cors import problem_answer
from moderation.sites.model import Site
from moderation.team import access
from moderation.team import pages as team_pages
from moderation.team import pages_account as account
from moderation.team import pages_sign_in as sign_in
from moderation.team import store as moderators
from moderation.team.access import Authenticator
from moderation.web import health, metrics, openapi, shutdown
from moderation.web.templating import Pages

log = logging.getLogger("moderation")
HERE = Path(__file__).parent
HOUR = 3_600_000
EDGES: tuple[Sequence[BaseRoute], ...] = (
    # for readers and the pages they read
    comments_public.routes,
    feeds.routes,
    articles_public.routes,
    articles_api.routes,
    intake_public.routes,
    embed.routes,
    wordpress.routes,
    receipts.routes,
    outbox_public.routes,
    queue_public.routes,
    privacy_public.routes,
    # for moderators
    sign_in.routes,
    account.routes,
    team_pages.routes,
    mail_pages.routes,
    queue_pages.routes,
    pages_reply.routes,
    pages_block.routes,
    pages_redact.routes,
    pages_row.routes,
    pages_empty_spam.routes,
    stats.routes,
    policy_pages.routes,
    pages_what_if.routes,
    pages_shadow.routes,
    queue_api.routes,
    duplicates_pages.routes,
    api_live.routes,
    pages_rules.routes,
    # for programs that want a score
    policy_api.routes,
    # for operators
    health.routes,
    openapi.routes,
    metrics.routes,
)
"""Every edge, by audience; each slice says its own paths."""


def routes(settings: Settings) -> list[BaseRoute]:
    """Every path: those of the edges, the files that pages load, and the demo's where it is asked for."""
    static = StaticFiles(packages=[(f"moderation.{name}", "static") for name in ("web", "queue", "demo")])
    shown = demo.routes if settings.demo else []
    return [*(route for edge in EDGES for route in edge), Mount("/static", static), *shown]


async def on_problem(request: Request, error: Exception) -> Response:
    """A Problem as a page where a person is looking, else as problem+json."""
    assert isinstance(error, Problem)
    path = request.url.path
    if path.startswith("/moderate"):
        return await queue_pages.problem_page(request, error)
    page = path.startswith(("/receipts", "/subscriptions", "/digests", "/privacy", "/demo")) or path.endswith("/form")
    if page and "text/html" in request.headers.get("accept", ""):
        return intake_public.problem_page(request, error)
    return problem_answer(error)


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette's own errors, in our form."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        if request.url.path.startswith("/sites/"):
            headers["Vary"] = "Origin"
        return problem_answer(MethodNotAllowed("Another method is wanted here.", headers=allow(request, headers)))
    if error.status_code == 404:
        if place := without_slash(request):
            return RedirectResponse(place, 307)
        if "text/html" in request.headers.get("accept", ""):
            return intake_public.problem_page(request, NotFound("There is nothing at this address."))
        return problem_answer(NotFound("There is nothing at this address."))
    known = TooLarge if error.status_code == 413 else Problem
    return problem_answer(known("The request cannot be answered."))


def without_slash(request: Request) -> str:
    """The path that was meant, where a slash too many stands at its end. No host in it: whoever asks could choose that."""
    path = request.url.path.rstrip("/")
    said: str = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    if not said.endswith("/") or not any(isinstance(r, Route) and r.path_regex.match(path) for r in request.app.routes):
        return ""
    return said.rstrip("/") + (f"?{request.url.query}" if request.url.query else "")


def allow(request: Request, headers: dict[str, str]) -> dict[str, str]:
    """Every method of the path, not only those of the route that happened to match first."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.path_regex.match(request.url.path):
            methods |= route.methods or set()
    return headers | {"Allow": ", ".join(sorted(methods))} if methods else headers


async def on_error(request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error, extra={"path": route_of(request.scope), "method": request.method})
    return problem_answer(Problem("Something went wrong on our side; it is in the log."))


def route_of(scope: Scope) -> str:
    """The path's pattern, not the path: a receipt in a log would be a key in a log."""
    found = scope.get("route")
    return str(getattr(found, "path", "unmatched"))


class RequestMiddleware:
    """Around everything: a line in the log where something failed, and a note of proxies that nobody declared.

    A comment goes straight from here to its endpoint: the layers between cost as much as checking it.
    """

    def __init__(self, app: ASGIApp, state: Any, trusted: access.Networks) -> None:
        self.app, self.state, self.trusted = app, state, trusted
        self.known = set[str]()
        """Peers that may send what they send."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else ""
        if self.state.proxy_problem is None and peer not in self.known:
            self._look_at_proxy(peer, scope)

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 500:
                log.warning(
                    "answered", extra={"method": scope["method"], "path": route_of(scope), "status": message["status"]}
                )
            await send(message)

        try:
            if scope["method"] == "POST" and (found := intake_public.POST_COMMENT.path_regex.match(scope["path"])):
                scope["route"], scope["path_params"] = intake_public.POST_COMMENT, found.groupdict()
                response = await intake_public.POST_COMMENT.endpoint(Request(scope, receive))
                await response(scope, receive, note)
            else:
                await self.app(scope, receive, note)
        except ClientDisconnect:  # an upload that was broken off: nobody is there to be told, and nothing is wrong here
            log.debug("a client went away", extra={"method": scope["method"], "path": route_of(scope)})

    def _look_at_proxy(self, peer: str, scope: Scope) -> None:
        if all(name != b"x-forwarded-for" for name, _ in scope["headers"]):
            return
        here = parsed_address(peer)
        is_local = here is None or here.is_private or here.is_loopback
        if is_local and not any(here in network for network in self.trusted if here):
            self.state.proxy_problem = (
                "X-Forwarded-For comes from an untrusted private or loopback peer: all its readers share one limit. "
                "Set MODERATION_TRUSTED_PROXIES to your proxy's address."
            )
            log.warning(self.state.proxy_problem)
        elif len(self.known) < 1000:
            self.known.add(peer)


async def first_start(
    database: Database, links: Links, settings: Settings, now: int, say: Callable[[str], None]
) -> None:
    """The site `default`, the demo's articles, the first moderator with a one-time link."""
    async with database.transaction() as tx:
        if not await sites.sites(tx, ["default"]):
            await sites.put_site(tx, Site("default", "My site"), now)
        if settings.demo:
            await demo.register(tx, links, now)
        if not await moderators.count(tx, ready=True):
            moderator = await access.add_moderator(tx, settings.first_moderator, "administrator", "*", now)
            token = await access.password_link(tx, moderator, links.signer, now)
            say(f"First moderator: {moderator.email}. Set a password within the hour:\n  {links.set_password(token)}")


def create_app(
    settings: Settings,
    *,
    classifier: Classifier | None = None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    say: Callable[[str], None] | None = print,
    last_resort: shutdown.LastResort | None = None,
) -> Starlette:
    """The whole service. Nothing is opened before its lifespan begins. `say` None: somebody else did the first start.
    `last_resort` is for a process of its own: it ends that some time after it was told to stop."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def told() -> None:
            if last_resort:
                last_resort.arm()
            if live := getattr(app.state, "live", None):
                loop.call_soon_threadsafe(live.close)  # its server would wait for open streams

        with shutdown.told_to_stop(told):
            async with opened(app):
                yield

    @asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        state = app.state
        signer = Signer(settings.secret())
        state.links = Links(settings.base, signer)
        state.database = connect(settings.database)
        await state.database.open()
        try:
            state.trusted = settings.proxies
            state.mails = bool(settings.smtp)
            state.clock = clock
            state.started = time.monotonic()
            state.decided = Counter()
            state.agreement = metrics.Agreement()
            state.metrics_token = settings.metrics_token
            state.live = api_live.Live(state.database, clock)
            state.authenticator = Authenticator(state.database, signer, settings.proxies, clock)
            state.directory = Directory(state.database, state.links)
            state.threads = Threads(state.database)
            state.related = articles_public.Related(state.database)
            state.scorer = Scorer(classifier or Classifier(Path(settings.models)))
            state.what_if = Replay(state.database, state.scorer)
            state.models = Path(settings.models)
            state.models_room = Look(partial(room, state.models))
            state.shadow = Shadow(state.database, state.scorer.classifier, clock)
            state.intake = Intake(
                state.database, state.scorer, state.links, changed=state.threads.drop, clock=clock, mails=state.mails
            )
            hooks = Webhooks(state.database, state.links, clock, to_private=settings.webhooks_to_private)
            letters = Letters(state.database, state.links, {"digest": digest.letter, "person": privacy.letter})
            mail = Mail(settings.smtp and Smtp.of(*settings.smtp), settings.host_name, letters.write)
            state.mail_check = MailCheck(settings.smtp and Smtp.of(*settings.smtp), settings.host_name, settings.base)
            state.outbox = Deliverer(state.database, hooks, mail, clock=clock)
            state.keep = retention.Keep(**settings.keep)
            sweep = partial(retention.sweep, state.database, state.keep)
            due = [
                Job("sweep", HOUR, lambda: sweep(clock())),
                Job(
                    "scrub",
                    60_000,
                    lambda: secure_delete.scrub(state.database),
                    partial(secure_delete.wanted, state.database),
                ),
                Job("redate", 60_000, state.outbox.redate, state.outbox.is_ahead),
                Job("read-up", 60_000, lambda: queue.read_up(state.database, all_=True)),
                Job("waves", HOUR // 4, lambda: catch_up(state.database)),
                Job("shadow", 15_000, state.shadow.read_along, state.shadow.wanted),
            ]
            if settings.smtp and settings.digest_hours:
                waits = partial(digest.anything_waits, state.database)
                every = settings.digest_hours * HOUR
                due.append(Job("digest", every, lambda: digest.digest(state.database, clock()), waits))
            told = partial(events.failed_signins, state.database, signer, mails=state.mails)
            failed = partial(events.anything_failed, state.database)
            due.append(Job("failed-signins", HOUR // 4, lambda: told(clock()), failed))
            state.periodic = Periodic(state.database, clock, due)
            state.pages = Pages(HERE)
            state.openapi = openapi.document(app.routes, settings.base)
            if say:
                await first_start(state.database, state.links, settings, clock(), say)
            await state.scorer.start()
            state.intake.start()
            state.outbox.start()
            state.periodic.start()
            yield
            await shutdown.in_turn(
                ("events", state.live.stop, 0.5),
                ("rounds", state.periodic.stop, 0.5),
                ("intake", state.intake.stop, 3),
                ("outbox", state.outbox.stop, 3),
            )
            state.scorer.close()
        finally:
            await shutdown.in_turn(("database", state.database.close, 1))

    app = Starlette(
        routes=routes(settings),
        lifespan=lifespan,
        exception_handlers={Problem: on_problem, HTTPException: on_http, Exception: on_error},
    )
    app.router.redirect_slashes = False  # Starlette's own redirect leads to whatever Host the request names
    app.state.proxy_problem = None
    app.add_middleware(RequestMiddleware, state=app.state, trusted=settings.proxies)
    return app


async def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """The first start, once for all workers: of several links only the last would work."""
    database = connect(settings.database)
    await database.open()
    try:
        now = time.time_ns() // 1_000_000
        await first_start(database, Links(settings.base, Signer(settings.secret())), settings, now, say)
    finally:
        await database.close()


def from_environment() -> Starlette:
    """For worker processes, which get nothing but the environment; `prepare` has been called before them."""
    loaded = load_settings()
    logs.log_to_stderr(loaded.log_level)
    app = create_app(loaded, say=None, last_resort=shutdown.LastResort(loaded.grace + shutdown.REST))
    settle_memory()
    return app


def settle_memory() -> None:
    """What is loaded by now stays until the end, so the collector need not go through it again and again; and it starts
    when some hundred comments have come, not some ten."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
