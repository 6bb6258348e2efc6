"""The subscription page linked from mails about replies. Opening it changes nothing; a POST does."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Gone, NotFound
from moderation.db.database import Session
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox.store_subscriptions import ANSWER_DAYS, Subscription
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.web import bodies

ACTS = {"confirm": "confirmed", "end": "ended", "refuse": "refused"}


async def subscription_of(request: Request, session: Session) -> tuple[Subscription, Site]:
    """The link's subscription. Raises NotFound for a forged link and an erased subscription."""
    id = services_of(request).links.signer.verify("subscription", request.path_params["token"])
    subscription = await subscriptions.find(session, id) if id else None
    if subscription is None:
        raise NotFound("There is no such link, or its data has been erased.")
    return subscription, (await sites.sites(session, [subscription.site]))[subscription.site]


async def get_subscription(request: Request) -> Response:
    """The subscription to replies on one site, for the holder of the mailed link."""
    services = services_of(request)
    async with services.database.reading() as session:
        subscription, site = await subscription_of(request, session)
    pages = services.pages
    action = f"/subscriptions/{request.path_params['token']}"
    is_over = subscription.state == "asked" and not subscription.may_confirm(services.clock())
    shown = "over" if is_over else subscription.state
    return pages.answer("outbox/subscription.html", state=shown, site=site, action=action, days=ANSWER_DAYS)


async def post_subscription(request: Request) -> Response:
    """An answer to mails about replies, or a mail program's own unsubscribe button (RFC 8058).

    `act`: `confirm`, once and within 7 days of the question, `end` or `refuse`."""
    services = services_of(request)
    act, one_click = await bodies.answer_to_mail(request, ACTS, "end")
    async with services.database.transaction() as tx:
        subscription, _ = await subscription_of(request, tx)
        if act == "confirm" and subscription.state != "confirmed" and not subscription.may_confirm(services.clock()):
            raise Gone(
                "This question is answered already or has expired. To be asked again, leave another comment and ask for mails."
            )
        if not (one_click and subscription.state == "refused"):  # the button in an old mail must not weaken a refusal
            await subscriptions.put(tx, replace(subscription, state=ACTS[act]), services.clock())
    if one_click:
        return await get_subscription(request)
    return RedirectResponse(f"/subscriptions/{request.path_params['token']}", 303)


routes = [
    Route("/subscriptions/{token}", get_subscription, methods=["GET"]),
    Route("/subscriptions/{token}", post_subscription, methods=["POST"]),
]
