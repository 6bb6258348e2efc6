"""create_app(settings): mounts every edge, and opens every resource in the lifespan. It imports all slices; none imports it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from classifier.serving import Classifier
from moderation.articles import api as articles_api
from moderation.articles import public as articles_public
from moderation.articles.related import Related
from moderation.comments import public as comments_public
from moderation.comments import public_feeds as feeds
from moderation.comments.thread_cache import Threads
from moderation.core import logs
from moderation.core.problem import Problem
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db import connect, secure_delete
from moderation.db.database import Database
from moderation.db.files import Look, room
from moderation.db.periodic import Job, Periodic
from moderation.demo import public as demo
from moderation.dialects import api as checks_api
from moderation.dialects import api_akismet, api_perspective
from moderation.dialects import api_coral as coral_api
from moderation.dialects.checks import Checks
from moderation.dialects.keys import Keys
from moderation.dialects.usage import KeyUsage
from moderation.duplicates import api as duplicates_api
from moderation.duplicates.duplicates import catch_up
from moderation.intake import public as intake_public
from moderation.intake import public_embed as embed
from moderation.intake import public_form, public_preview, public_reports
from moderation.intake import public_receipts as receipts
from moderation.intake import public_wordpress as wordpress
from moderation.intake.intake import Intake
from moderation.learning import api as learning_api
from moderation.learning import pages as stats
from moderation.outbox import events
from moderation.outbox import pages as mail_pages
from moderation.outbox import public as outbox_public
from moderation.outbox.delivery import Deliverer
from moderation.outbox.letters import Letters
from moderation.outbox.mail_check import MailCheck
from moderation.outbox.smtp import Mail, Smtp
from moderation.outbox.webhooks import Webhooks
from moderation.policy import api as policy_api
from moderation.policy import api_blocks, api_rules, api_what_if, blocks, pages_blocks
from moderation.policy import pages as policy_pages
from moderation.policy import pages_hold as pages_hold
from moderation.policy import pages_rules as pages_rules
from moderation.policy import pages_what_if as pages_what_if
from moderation.policy.agreement import Agreement
from moderation.policy.read_along import ReadAlong
from moderation.policy.scorer import Scorer
from moderation.policy.what_if import WhatIf
from moderation.privacy import api as privacy_api
from moderation.privacy import data_requests as privacy
from moderation.privacy import public as privacy_public
from moderation.privacy import retention
from moderation.queue import api as queue_api
from moderation.queue import api_acts as queue_acts
from moderation.queue import (
    api_author,
    api_filters,
    api_live,
    api_team,
    digest,
    pages_author,
    pages_block,
    pages_empty_spam,
    pages_filters,
    pages_matching,
    pages_row,
    pages_team,
    pages_wave,
)
from moderation.queue import decide as queue
from moderation.queue import pages as queue_pages
from moderation.queue import pages_redact as pages_redact
from moderation.queue import pages_reply as pages_reply
from moderation.queue import public as queue_public
from moderation.queue.live import Live
from moderation.services import Application, Services
from moderation.settings import Settings
from moderation.settings import load as load_settings
from moderation.sites import pages as site_pages
from moderation.sites import store as sites
from moderation.sites.cache import Directory
from moderation.sites.model import Site
from moderation.team import access
from moderation.team import pages as team_pages
from moderation.team import pages_account as account
from moderation.team import pages_sign_in as sign_in
from moderation.team import store as moderators
from moderation.team.access import Authenticator
from moderation.transfer import merging
from moderation.transfer.store_tables import TEXTS
from moderation.web import health, metrics, openapi, shutdown
from moderation.web.middleware import ProxyWatch, RequestMiddleware
from moderation.web.prefix import PrefixMiddleware, first_segment
from moderation.web.public_errors import on_error, on_http, on_problem
from moderation.web.templating import Pages

log = logging.getLogger("moderation")
HERE = Path(__file__).parent
MINUTE, HOUR = 60_000, 3_600_000
EDGES: tuple[Sequence[BaseRoute], ...] = (
    # for readers and their pages; posting and reading first, because routes are matched in this order
    intake_public.routes,
    comments_public.routes,
    feeds.routes,
    articles_public.routes,
    articles_api.routes,
    public_form.routes,
    embed.routes,
    public_preview.routes,
    public_reports.routes,
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
    pages_author.routes,
    pages_matching.routes,
    pages_team.routes,
    pages_filters.routes,
    pages_wave.routes,
    pages_empty_spam.routes,
    stats.routes,
    policy_pages.routes,
    pages_what_if.routes,
    queue_api.routes,
    queue_acts.routes,
    api_author.routes,
    api_team.routes,
    api_filters.routes,
    duplicates_api.routes,
    api_live.routes,
    pages_hold.routes,
    site_pages.routes,
    pages_rules.routes,
    pages_blocks.routes,
    api_rules.routes,
    api_blocks.routes,
    api_what_if.routes,
    learning_api.routes,
    privacy_api.routes,
    # for programs that score texts
    policy_api.routes,
    checks_api.routes,
    api_perspective.routes,
    api_akismet.routes,
    coral_api.routes,
    # for operators
    health.routes,
    openapi.routes,
    metrics.routes,
)
"""Every edge, by audience; the paths are in the slices."""


def routes(settings: Settings) -> list[BaseRoute]:
    """All routes: the edges, static files, and the demo if it is on."""
    slices = sorted(folder.parent.name for folder in Path(__file__).parent.glob("*/static"))
    static = StaticFiles(packages=[(f"moderation.{name}", "static") for name in slices])
    shown = demo.routes if settings.demo else []
    every = [route for edge in EDGES for route in edge]
    often = [intake_public.POST_COMMENT, comments_public.list_thread]  # matched first: each earlier route costs 2 µs
    return [
        *often,
        *(route for route in every if not any(route is one for one in often)),
        Mount("/static", static),
        *shown,
    ]


async def first_start(
    database: Database, links: Links, settings: Settings, now: int, say: Callable[[str], None]
) -> None:
    """Creates the site `default`, the demo's articles, and the first moderator with a one-time link."""
    async with database.transaction() as tx:
        if not await sites.sites(tx, ["default"]):
            await sites.put_site(tx, Site(key="default", name="My site"), now)
        if settings.demo:
            await demo.register(tx, links, now)
        if not await moderators.count(tx, ready=True):
            moderator = await access.add_moderator(tx, settings.first_moderator, "administrator", "*", now)
            token = await access.password_link(tx, moderator, links.signer, now)
            say(
                f"First sign-in: {links.base}/moderate, user name {moderator.email}. Set its password within the hour:\n"
                f"  {links.set_password(token)}"
            )


def create_app(
    settings: Settings,
    *,
    classifier: Classifier | None = None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    say: Callable[[str], None] | None = print,
    last_resort: shutdown.LastResort | None = None,
    rehearsal: bool = False,
) -> Application:
    """The whole service. It opens its resources when the lifespan begins. `say` None: the first start is already done.
    `last_resort`, for a process of its own, ends it some time after the stop signal. `rehearsal`: on a copy, so that nothing is
    delivered and no periodic task runs."""

    proxy = ProxyWatch(settings.proxies, settings.base)

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def told() -> None:
            if last_resort:
                last_resort.arm()
            if services := getattr(app, "services", None):
                loop.call_soon_threadsafe(services.live.close)  # the server waits for open streams

        with shutdown.told_to_stop(told):
            async with opened(app):
                yield

    def end() -> None:
        if last_resort:  # a process of its own: its supervisor starts another
            signal.raise_signal(signal.SIGTERM)

    @asynccontextmanager
    async def opened(app: Application) -> AsyncIterator[None]:
        database = connect(settings.database)
        await database.open()
        try:
            await merging.respell(database, clock())
            services = assembled(
                settings,
                database,
                classifier or Classifier(Path(settings.models), settings.reader),
                clock,
                proxy,
                app.routes,
            )
            app.services = services
            if say:
                await first_start(database, services.links, settings, clock(), say)
            await services.scorer.start()
            await services.intake.unread.find()
            async with shutdown.background(end) as loops:
                services.intake.start(loops)
                if not rehearsal:
                    services.outbox.start(loops)
                    services.periodic.start(loops)
                yield
                await shutdown.in_turn(
                    ("events", services.live.stop, 0.5),
                    ("periodic", services.periodic.stop, 0.5),
                    ("intake", services.intake.stop, 3),
                    ("outbox", services.outbox.stop, 3),
                    ("key usage", services.key_usage.flush, 1),
                )
            services.scorer.close()
        finally:
            await shutdown.in_turn(("database", database.close, 1))

    app = Application(
        routes=routes(settings),
        lifespan=lifespan,
        exception_handlers={Problem: on_problem, HTTPException: on_http, Exception: on_error},
    )
    app.router.redirect_slashes = False  # Starlette's own redirect leads to the request's Host
    app.add_middleware(RequestMiddleware, proxy=proxy)
    if prefix := urlsplit(settings.base).path:
        first = {first_segment(str(getattr(route, "path", ""))) for route in app.routes} - {""}
        app.add_middleware(PrefixMiddleware, prefix=prefix, first_segments=first)
    return app


def assembled(
    settings: Settings,
    database: Database,
    classifier: Classifier,
    clock: Callable[[], int],
    proxy: ProxyWatch,
    routes: list[BaseRoute],
) -> Services:
    """The services with their dependencies; no task runs yet."""
    signer = Signer(settings.secret())
    links = Links(settings.base, signer)
    threads = Threads(database, links)
    scorer = Scorer(classifier, settings.scoring_ms / 1000)
    models = Path(settings.models)
    read_along = ReadAlong(database, classifier, clock)
    smtp = settings.smtp and Smtp.of(*settings.smtp)
    mails = settings.smtp is not None
    hooks = Webhooks(database, links, clock, to_private=settings.webhooks_to_private)
    letters = Letters(database, links, {"digest": digest.letter, "person": privacy.letter})
    outbox = Deliverer(database, hooks, Mail(smtp, settings.host_name, letters.write), clock=clock)
    keep = retention.Keep(**settings.keep)
    intake = Intake(database, scorer, links, clock=clock, mails=mails, reader_wait=settings.reader_wait / 1000)
    key_usage = KeyUsage(database, clock)
    return Services(
        settings=settings,
        clock=clock,
        started=time.monotonic(),
        database=database,
        links=links,
        directory=Directory(database, links),
        authenticator=Authenticator(database, signer, settings.proxies, clock),
        threads=threads,
        related=Related(database),
        scorer=scorer,
        what_if=WhatIf(database, scorer),
        models=models,
        models_room=Look(partial(room, models)),
        read_along=read_along,
        intake=intake,
        checks=Checks(database, intake, signer, clock),
        keys=Keys(database, signer, clock),
        outbox=outbox,
        mails=mails,
        mail_check=MailCheck(smtp, settings.host_name, settings.base),
        live=Live(database, clock),
        periodic=Periodic(
            database, clock, jobs(settings, database, signer, outbox, read_along, intake, keep, key_usage, clock)
        ),
        keep=keep,
        agreement=Agreement(),
        pages=Pages(HERE, links.prefix),
        openapi=openapi.document(routes, settings.base),
        proxy=proxy,
        key_usage=key_usage,
    )


def jobs(
    settings: Settings,
    database: Database,
    signer: Signer,
    outbox: Deliverer,
    read_along: ReadAlong,
    intake: Intake,
    keep: retention.Keep,
    key_usage: KeyUsage,
    clock: Callable[[], int],
) -> list[Job]:
    """The periodic tasks of all slices."""
    found = [
        Job("purge", HOUR, lambda: retention.purge(database, keep, clock()), is_cautious=True),
        Job(
            "scrub",
            MINUTE,
            partial(secure_delete.overwrite_deleted, database, TEXTS),
            partial(secure_delete.is_requested, database),
        ),
        Job("blocks", MINUTE, lambda: blocks.end_over(database, clock()), partial(blocks.is_any_over, database, clock)),
        Job("redate", MINUTE, outbox.redate, outbox.is_ahead),
        Job("search", MINUTE, partial(queue.read_up, database, all_=True)),
        Job("duplicates", HOUR // 4, partial(catch_up, database)),
        Job("read-along", MINUTE // 4, read_along.read, read_along.is_needed),
        Job("unread", MINUTE, intake.unread.find_left, intake.unread.is_any_left),
        # each worker writes its own, so none waits for another
        Job("key-usage", 1, key_usage.flush, key_usage.is_waiting),
        Job(
            "failed-signins",
            HOUR // 4,
            lambda: events.failed_signins(database, signer, clock(), mails=settings.smtp is not None),
            partial(events.anything_failed, database),
        ),
    ]
    if settings.smtp and settings.digest_hours:
        send, waits = lambda: digest.digest(database, clock()), partial(digest.anything_waits, database, clock)
        found.append(Job("digest", settings.digest_hours * HOUR, send, waits))
    return found


async def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """The first start, once for all workers: each would end the others' links."""
    database = connect(settings.database)
    await database.open()
    try:
        now = time.time_ns() // 1_000_000
        await first_start(database, Links(settings.base, Signer(settings.secret())), settings, now, say)
    finally:
        await database.close()


def from_environment() -> Application:
    """The application of a worker process, from the environment; `prepare` has run before."""
    loaded = load_settings()
    logs.log_to_stderr(loaded.log_level, loaded.log)
    app = create_app(loaded, say=None, last_resort=shutdown.LastResort(loaded.grace + shutdown.REST))
    settle_memory()
    return app


def settle_memory() -> None:
    """Excludes the loaded modules from garbage collection, since they stay until the end, and makes a collection start after
    some hundred comments instead of ten."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
