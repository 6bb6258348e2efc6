"""What each page is shown with in the tests: texts that want to be markup wherever somebody else can put one."""

from typing import Any

from markupsafe import Markup

from classifier.labels import LABELS
from moderation.intake.texts import Words
from moderation.policy import pages as policy
from moderation.queue.block import Offer
from moderation.queue.pages_card import Called, card, differing
from moderation.queue.store_matching import Count
from moderation.sites import site_settings as rules
from moderation.sites.model import Mute, Site
from moderation.sites.site_settings import SKIPPABLE, SiteSettings
from moderation.team.pages_account import drawn

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> مریم"
NOW = "2026-11-23T10:15:00Z"


def a_form(**changes: Any) -> dict[str, Any]:
    return {
        "action": "/sites/default/articles/a/comments",
        "token": EVIL,
        "values": {"name": EVIL, "email": EVIL, "url": EVIL, "body": EVIL, "parent": "c1"},
        "errors": {"": EVIL, "email": EVIL, "body": EVIL},
        "replying_to": {"id": "c1", "name": EVIL},
        "cancel_url": "/sites/default/articles/a/form",
        "required": ["name", "email", "body"],
        "max_body": 10_000,
        "offer_notify": True,
        "notify_sent": True,
        "privacy_url": "https://garden.example/privacy",
        "redirect_to": "https://blog.example/a",
        "open": True,
        "t": Words(),
    } | changes


def a_reply(depth: int) -> dict[str, Any]:
    return {
        "id": f"c{depth}",
        "parent": f"c{depth - 1}" if depth > 1 else None,
        "depth": depth,
        "author": {
            "name": EVIL,
            "url": "https://a.example/" if depth % 2 else None,
            "avatar": "/avatars/00ff.svg",
            "mark": ("staff", "known", None)[depth % 3],
        },
        "html": Markup("<p>A <strong>kind</strong> word.</p>"),
        "created_at": NOW,
        "edited_at": NOW if depth == 2 else None,
        "replies": [a_reply(depth + 1)] if depth < 5 else [],
    }


def a_receipt(**changes: Any) -> dict[str, Any]:
    return {
        "state": "pending",
        "author_name": EVIL,
        "author_url": EVIL,
        "html": Markup("<p>A word.</p>"),
        "body": EVIL,
        "source": EVIL,
        "format": "html",
        "notify": True,
        "versions": [{"body": EVIL, "format": "html", "created_at": NOW}],
        "data": "/receipts/token/data",
        "by_mail": True,
        "edited_at": NOW,
        "created_at": NOW,
        "article": {"title": EVIL, "url": "https://blog.example/a", "key": "a"},
        "comment_url": "https://blog.example/a#comment-c1",
        "can_edit": True,
        "edit_until": NOW,
        "action": "/receipts/token",
        "errors": {"body": EVIL},
        "reason": EVIL,
        "reason_code": "insult",
        "above": {"id": "c0", "name": EVIL, "status": EVIL, "text": EVIL},
        "blocks": [
            {"target": EVIL, "on": False, "words": EVIL, "done": EVIL},
            {"target": "article", "on": True, "words": EVIL, "done": EVIL},
        ],
        "appeal": {"body": EVIL, "created_at": NOW},
        "can_appeal": False,
        "appealing": EVIL,
        "saved": True,
    } | changes


A_DECISION = {
    "id": "d1",
    "action": "spam",
    "labels": ["spam", "identity_attack"],
    "reason": "personal-data",
    "note": EVIL,
    "moderator": EVIL,
    "created_at": NOW,
    "undone_at": None,
    "undoable": True,
}


A_NOTE: dict[str, Any] = {
    "id": "n1",
    "on": "comment",
    "body": EVIL,
    "moderator": EVIL,
    "created_at": NOW,
    "edited_at": NOW,
    "own": True,
}
A_BLOCK: dict[str, Any] = {
    "entry": EVIL,
    "kind": "author",
    "value": None,
    "name": EVIL,
    "email": EVIL,
    "comment": "c1",
    "reason": EVIL,
    "moderator": EVIL,
    "created_at": NOW,
    "until": NOW,
    "over": False,
    "from_comment": True,
    "may_lift": True,
}
BLOCKS = [
    A_BLOCK,
    A_BLOCK | {"kind": "network", "name": None, "until": None},
    A_BLOCK | {"kind": "word", "value": EVIL, "comment": None, "moderator": None, "reason": ""},
]


def a_comment(n: int = 1, **changes: Any) -> dict[str, Any]:
    return card(a_document(n, **changes), Called(title=EVIL, url="https://blog.example/a"), {"spam": 0.5}, EVIL)


def a_document(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"c{n}",
        "site": "default",
        "article": "a",
        "parent": "c0",
        "status": "pending",
        "revision": 3,
        "created_at": NOW,
        "author": {
            "name": EVIL,
            "email": EVIL,
            "url": "https://spam.example/",
            "record": {"approved": 2, "spam": 1, "rejected": 0, "pending": 1, "first_seen": NOW},
        },
        "body": EVIL,
        "format": "html",
        "html": Markup("<p>A cheap word.</p>"),
        "appeal": {"body": EVIL, "created_at": NOW, "against": A_DECISION},
        "reports": [{"reason": "insult", "label": "insult", "note": EVIL, "weight": 0.5, "created_at": NOW}],
        "above": {"id": "c0", "name": EVIL, "status": EVIL, "text": EVIL},
        "notes": [A_NOTE, A_NOTE | {"on": "author", "own": False, "edited_at": None}],
        "blocks": {"article": Offer(True), f"domain:{EVIL}": Offer(False, reaches=True), "author": Offer(True, NOW)},
        "verdict": {
            "scores": {label: n / (n + 2.5) for n, label in enumerate(LABELS)},
            "action": "hold",
            "reasons": [
                {"rule": "blocked-word", "note": f"word: {EVIL}", "weight": 1.0, "spans": [[0, 8]]},
                {
                    "rule": "label",
                    "label": "insult",
                    "note": "insult 0.67, held from 0.25",
                    "weight": 0.67,
                    "spans": [],
                },
                {"rule": "a-rule-of-tomorrow", "note": EVIL, "weight": 1.0, "spans": []},
                {"label": "insult", "feature": EVIL, "weight": 1.25, "spans": [[0, 20]]},
                {"label": "spam", "feature": "(length)", "weight": -1.25, "spans": []},
                {"label": "threat", "feature": EVIL, "weight": 0.5, "spans": []},
            ],
            "model": EVIL,
        },
    } | changes


PAST = {
    "decisions": [A_DECISION],
    "reports": [{"reason": "hate", "note": EVIL, "created_at": NOW, "outcome": "right", "weight": 0.5, "label": None}],
}
UNSCORED: dict[str, Any] = {"scores": None, "action": "hold", "reasons": [], "model": None}
ARTICLE = {"key": "a", "title": EVIL, "url": "https://blog.example/a"}
SITE = {"key": "default", "name": EVIL}
CONSOLE = {
    "moderator": {"email": EVIL, "role": "administrator", "site": EVIL},
    "csrf_token": EVIL,
    "counts": {"pending": 3, "approved": 2, "spam": 1, "rejected": 0, "deleted": 0},
    "notice": EVIL,
    "failed_signins": 3,
    "undo": {"action": "/moderate/decisions/d1/undo", "target": EVIL, "label": EVIL},
}
SAVED = [
    {
        "id": f"f{n}",
        "name": EVIL,
        "team": n == 1,
        "query": {"status": "pending", "q": EVIL},
        "count": (12, None)[n],
        "is_exact": False,
        "number": ("12+", "")[n],
        "may_change": n == 0,
        "said": EVIL,
        "url": f"/moderate?q={EVIL}",
    }
    for n in range(2)
]
SHARED = {"is_snoozed": True, "is_mine": False, "snoozed": f"Snoozed until {NOW}", "assigned": f"For {EVIL}"}
QUEUE = {
    **CONSOLE,
    "shared": {"mine": 2, "snoozed": 1},
    "saved": SAVED,
    "current": "",
    "may_save": True,
    "may_save_for_team": True,
    "matches": Count(40, False),
    "members": {"m1": EVIL},
    "reported": 2,
    "comments": [
        a_comment(1, shared=SHARED),
        a_comment(2, verdict=UNSCORED, wave={"c2": 1, "c4": 2}, article="checks:a"),
        a_comment(3, status="approved", parent=None),
    ],
    "filters": {"status": "pending", "site": EVIL, "article": EVIL, "label": "spam", "order": "worst", "q": EVIL},
    "sites": ["default", {"key": "other", "name": EVIL}],
    "labels": list(LABELS),
    "rules": ["many-links"],
    "reasons_to_reject": ["insult", "off-topic"],
    "next_url": "/moderate?cursor=x",
    "total": 40,
    "here_now": 5,
}
OUT = {"csrf_token": EVIL}

A_SHARE = {"hits": 1, "count": 4, "share": 0.25, "interval": (0.05, 0.7)}

SAMPLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "form": ("public", "intake/form.html", {"site": SITE, "article": ARTICLE, "form": a_form(), "thread_url": "/t"}),
    "form-fresh": (
        "public",
        "intake/form.html",
        {"site": SITE, "article": ARTICLE, "form": a_form(errors={}, replying_to=None, values={}, offer_notify=False)},
    ),
    "form-closed": ("public", "intake/form.html", {"site": SITE, "article": ARTICLE, "form": a_form(open=False)}),
    "demo": (
        "public",
        "demo/demo.html",
        {
            "article": ARTICLE | {"key": "why-a-garden-needs-a-gate"},
            "story": {"title": EVIL, "kicker": EVIL, "byline": EVIL},
            "also": [{"url": "/demo/b", "title": EVIL, "excerpt": EVIL}],
            "count": 5,
            "comments": [a_reply(1)],
            "form": a_form(errors={}),
            "reply_base": "/",
            "report_base": "/r",
            "base": "https://c.example",
        },
    ),
    "demo-empty": (
        "public",
        "demo/demo.html",
        {
            "article": ARTICLE | {"key": "why-a-garden-needs-a-gate"},
            "story": {"title": EVIL, "kicker": EVIL, "byline": EVIL},
            "also": [{"url": "/demo/b", "title": EVIL, "excerpt": EVIL}],
            "count": 0,
            "comments": [],
            "form": a_form(),
            "reply_base": "/",
            "report_base": "/r",
            "base": "https://c.example",
        },
    ),
    "fragment": (
        "public",
        "comments/fragment.html",
        {
            "count": 5,
            "comments": [a_reply(1)],
            "form": "/form",
            "reports": "/comments",
            "following": "/more",
            "deepest": 5,
        },
    ),
    "refused": (
        "public",
        "intake/refused.html",
        {"message": EVIL, "back": "/", "typed": [("Email", EVIL)], "comment": EVIL},
    ),
    "digest": ("public", "queue/digest.html", {"wanted": True, "action": "/digests/x"}),
    "digest-ended": ("public", "queue/digest.html", {"wanted": False, "action": "/digests/x"}),
    "subscription": (
        "public",
        "outbox/subscription.html",
        {"state": "asked", "site": SITE, "action": "/subscriptions/x", "days": 7},
    ),
    "subscription-refused": (
        "public",
        "outbox/subscription.html",
        {"state": "refused", "site": SITE, "action": "/subscriptions/x", "days": 7},
    ),
    "privacy": ("public", "privacy/privacy.html", {"said": "", "error": EVIL, "typed": EVIL, "mails": True}),
    "person": ("public", "privacy/person.html", {"action": "/privacy/x", "may_export": True, "sure": False}),
    "person-sure": ("public", "privacy/person.html", {"action": "/privacy/x", "may_export": True, "sure": True}),
    "report": (
        "public",
        "intake/report.html",
        {
            "site": SITE,
            "comment": {"name": EVIL, "html": Markup("<p>A word.</p>")},
            "action": "/report",
            "reasons": ["spam"],
            "most": 500,
            "errors": {"reason": EVIL},
            "typed": {"note": EVIL},
            "sent": False,
        },
    ),
    "receipt": ("public", "intake/receipt.html", {"receipt": a_receipt()}),
    "receipt-approved": ("public", "intake/receipt.html", {"receipt": a_receipt(state="approved", errors={})}),
    "receipt-rejected": (
        "public",
        "intake/receipt.html",
        {"receipt": a_receipt(state="rejected", can_edit=False, errors={})},
    ),
    "receipt-appealing": (
        "public",
        "intake/receipt.html",
        {"receipt": a_receipt(state="rejected", can_edit=False, can_appeal=True, appeal=None, errors={"appeal": EVIL})},
    ),
    "receipt-withdrawn": ("public", "intake/receipt.html", {"receipt": a_receipt(state="withdrawn", can_edit=False)}),
    "problem": ("public", "web/problem.html", {"problem": {"status": 404, "title": EVIL, "detail": EVIL}}),
    "docs": ("public", "web/docs.html", {"operations": [{"method": "GET", "path": EVIL, "summary": EVIL}]}),
    "signin": ("console", "team/signin.html", {**OUT, "error": EVIL, "email": EVIL, "next": EVIL}),
    "signin-fresh": ("console", "team/signin.html", {**OUT, "error": None, "email": "", "next": None}),
    "set-password": ("console", "team/set-password.html", {**OUT, "email": EVIL, "error": EVIL, "minimum": 10}),
    "link-over": ("console", "team/link-over.html", OUT),
    "queue": ("console", "queue/queue.html", QUEUE),
    "queue-empty": (
        "console",
        "queue/queue.html",
        {**QUEUE, "comments": [], "next_url": None, "undo": None, "notice": None, "filters": {"status": "pending"}},
    ),
    "row": (
        "console",
        "queue/row.html",
        {"comment": a_comment(), "asked": {"q": EVIL}, "listed": "spam", "sample": True, "view": f"/moderate?q={EVIL}"},
    ),
    "wave": (
        "console",
        "queue/wave.html",
        {
            **CONSOLE,
            "id": "c1",
            "comments": [a_comment(1), differing(a_comment(2), "x")],
            "reasons_to_reject": ["insult"],
            "together": a_comment(1, wave={"c1": 1, "c2": 2}),
        },
    ),
    "wave-over": ("console", "queue/wave.html", {**CONSOLE, "id": "c1", "comments": [], "together": None}),
    "comment": ("console", "queue/comment.html", {**QUEUE, "comment": a_comment(), "decisions": [A_DECISION]}),
    "author": (
        "console",
        "queue/author.html",
        {
            **QUEUE,
            "author": {
                "id": "c1",
                "site": EVIL,
                "names": [EVIL, EVIL],
                "email": EVIL,
                "record": {"approved": 2, "spam": 1, "deleted": 1, "first_seen": NOW, "last_seen": NOW},
                "blocks": BLOCKS,
                "notes": [A_NOTE],
                "is_somebody": True,
            },
            "comments": [a_comment(n) | {"past": PAST} for n in (1, 2)],
            "address": "/moderate/comments/c1/author",
            "next_url": "/moderate/comments/c1/author?cursor=c2",
        },
    ),
    "author-unknown": (
        "console",
        "queue/author.html",
        {
            **QUEUE,
            "author": {"id": "c1", "site": EVIL, "names": [EVIL], "email": "", "record": {"approved": 1}}
            | {"blocks": [], "notes": [], "is_somebody": False},
            "comments": [a_comment()],
            "address": "/moderate/comments/c1/author",
            "next_url": None,
        },
    ),
    "blocks": (
        "console",
        "policy/blocks.html",
        {
            **CONSOLE,
            "site": Site(key="a", name=EVIL),
            "sites": [Site(key="a", name=EVIL), Site(key="b", name=EVIL)],
            "total": 3,
            "standing": BLOCKS,
            "over": [A_BLOCK | {"over": True}],
            "next_url": "/moderate/blocks?from=50",
        },
    ),
    "blocks-none": (
        "console",
        "policy/blocks.html",
        {
            **CONSOLE,
            "site": Site(key="a", name=EVIL),
            "sites": [],
            "total": 0,
            "standing": [],
            "over": [],
            "next_url": None,
        },
    ),
    "reply": (
        "console",
        "queue/reply.html",
        {
            **CONSOLE,
            "comment": a_comment(author={"name": EVIL, "email": EVIL, "url": EVIL, "record": {}, "staff": True}),
            "typed": {"body": EVIL, "name": EVIL},
            "wrong": {"body": EVIL, "name": EVIL},
            "problem": EVIL,
            "back_to": "/moderate",
        },
    ),
    "redact": (
        "console",
        "queue/redact.html",
        {**CONSOLE, "comment": a_comment(), "typed": EVIL, "wrong": EVIL, "problem": EVIL, "back_to": "/moderate"},
    ),
    "assign": (
        "console",
        "queue/assign.html",
        {
            **CONSOLE,
            "comment": a_comment(assigned_to="m1"),
            "members": [{"id": "m1", "name": EVIL, "email": EVIL}, {"id": "m2", "name": "", "email": EVIL}],
            "me": "m2",
            "back": f"/moderate?q={EVIL}",
        },
    ),
    "filters": ("console", "queue/filters.html", {**CONSOLE, "saved": SAVED, "alarm": EVIL, "longest": 40}),
    "filters-empty": ("console", "queue/filters.html", {**CONSOLE, "saved": [], "alarm": "", "longest": 40}),
    "matching": (
        "console",
        "queue/matching.html",
        {
            **CONSOLE,
            "matches": 1234,
            "filters": {"status": "pending", "q": EVIL},
            "said": EVIL,
            "list_url": f"/moderate?q={EVIL}",
            "alarm": EVIL,
            "reasons_to_reject": ["insult", "off-topic"],
        },
    ),
    "matching-nothing": (
        "console",
        "queue/matching.html",
        {**CONSOLE, "matches": 0, "filters": {"status": "any"}, "said": EVIL, "list_url": "/moderate", "alarm": ""},
    ),
    "empty": ("console", "queue/empty.html", {**CONSOLE, "count": 2, "site": EVIL}),
    "empty-already": ("console", "queue/empty.html", {**CONSOLE, "count": 0, "site": ""}),
    "comment-unscored": (
        "console",
        "queue/comment.html",
        {**QUEUE, "comment": a_comment(verdict=UNSCORED), "decisions": []},
    ),
    "console-problem": (
        "console",
        "web/console-problem.html",
        {
            **CONSOLE,
            "problem": {"status": 409, "title": EVIL, "detail": EVIL},
            "newer": [{"id": "c1", "status": EVIL, "revision": 4}],
        },
    ),
    "history": (
        "console",
        "queue/history.html",
        {
            **CONSOLE,
            "entries": [{"at": NOW, "actor": EVIL, "action": EVIL, "subject": EVIL, "site": EVIL, "detail": EVIL}],
            "next_url": "/moderate/history?cursor=x",
        },
    ),
    "stats": (
        "console",
        "learning/stats.html",
        {
            **CONSOLE,
            "sites": [{"key": EVIL, "name": EVIL}, {"key": "a", "name": ""}],
            "days": 30,
            "choices": (7, 30),
            "told": {
                "site": EVIL,
                "submissions": {"total": 9, "publish": 4, "hold": 3, "spam": 2},
                "decisions": {"total": 5},
                "in_queue": {"waiting": 1, "oldest_s": 7_300, "median_s": None, "slowest_tenth_s": 200_000},
                "audit_sample": dict.fromkeys(("published_removed", "filed_approved"), A_SHARE | {"picked": 3}),
                **dict.fromkeys(("published_removed", "filed_approved", "held_approved"), A_SHARE | {"count": 0}),
                "agreement": {EVIL: {"share": 0.5, "count": 4}},
                "weeks": [{"week": EVIL, "labels": {EVIL: {"share": 1.0, "count": 2}}}, {"week": EVIL, "labels": {}}],
                "reliability": {EVIL: [{"mean": 0.25, "share": 0.5, "count": 4}]},
            },
        },
    ),
    "rules": (
        "console",
        "policy/rules.html",
        {
            **CONSOLE,
            "told": {
                "site": EVIL,
                "counted_days": 30,
                "counts": [
                    {
                        "rule": EVIL,
                        "does": "spam",
                        "hits": 30,
                        "decided": 25,
                        "overturned": 24,
                        "muted": {"why": EVIL, "since": "2027-01-01T00:00:00.000Z"},
                    },
                    {"rule": "label:insult", "does": "hold", "hits": 0, "decided": 0, "overturned": 0, "muted": None},
                ],
            },
            "sites": [
                Site(key="a", name=EVIL),
                Site(key="b", name=EVIL, mutes={"disallowed": Mute(why="sudden", since=1)}),
            ],
            "elsewhere": [Site(key="b", name=EVIL, mutes={"disallowed": Mute(why="sudden", since=1)})],
        },
    ),
    "signin-code": (
        "console",
        "team/signin-code.html",
        {"moderator": None, "csrf_token": EVIL, "login_token": EVIL, "next": EVIL, "error": EVIL},
    ),
    **{
        f"account-{factor}{'-codes' if codes else ''}": (
            "console",
            "team/account.html",
            {
                **CONSOLE,
                "error": EVIL,
                "factor": factor,
                "codes": codes,
                "left": 1,
                "secret": EVIL,
                "address": "otpauth://totp/x?secret=y",
                "digest": True,
                "picture": drawn("otpauth://totp/x?secret=y"),
                "sessions": [
                    {"id": EVIL, "since": NOW[:16], "used": "", "here": False},
                    {"id": "b", "since": NOW[:16], "used": NOW[:16], "here": True},
                ],
            },
        )
        for factor, codes in (("off", []), ("begun", []), ("on", []), ("on", [EVIL, "x"]))
    },
    "moderators": (
        "console",
        "team/moderators.html",
        {
            "uses": [(EVIL, f"TOKEN {EVIL}")],
            **CONSOLE,
            "error": EVIL,
            "link": EVIL,
            "token": EVIL,
            "email": EVIL,
            "mails": True,
            "people": [
                {"id": EVIL, "email": EVIL, "place": EVIL, "role": EVIL, "site": EVIL, "me": True, "ready": ready}
                | {"factor": True}
                for ready in (True, False)
            ],
            "places": [(EVIL, EVIL), ("moderator/*", "moderator of all sites")],
            "sites": [(EVIL, EVIL)],
            "scopes": ("score", "moderate"),
            "tokens": [
                {"id": EVIL, "name": name, "scopes": [EVIL], "site": EVIL, "since": NOW[:16], "used": used}
                for name, used in ((EVIL, NOW[:16]), ("", ""))
            ],
        },
    ),
    "history-empty": ("console", "queue/history.html", {**CONSOLE, "entries": [], "next_url": None}),
}

A_PROMISE = {"at": None, "why": EVIL, "lacking": 20, "today": {"count": 0, "wrong": 0, "bound": None}}
POLICY: dict[str, Any] = {
    **CONSOLE,
    "site": Site(key=EVIL, name=EVIL),
    "sites": [Site(key="a", name=EVIL), Site(key=EVIL, name=EVIL)],
    "typed": policy.typed_of(SiteSettings()) | {"blocked": EVIL, "max_links": EVIL, "hold_at.insult": EVIL},
    "errors": {"blocked": EVIL, "max_links": EVIL, "hold_at.insult": EVIL, "trust_skips": EVIL, "filed": EVIL},
    "problem": EVIL,
    "filled": True,
    "groups": [(t, [(n, label, hint, policy.kind(n)) for n, label, hint in some]) for t, some in policy.GROUPS],
    "long": ["disallowed"],
    "fields": "blocked",
    "choices": rules.CHOICES,
    "skippable": SKIPPABLE,
    "shipped": {"insult": 0.4},
    "changes": [{"id": EVIL, "at": NOW, "actor": EVIL, "differs": {"articles": f"{EVIL} → open"}}],
    "seen": EVIL,
    "labels": list(LABELS),
    "may_change": True,
    "told": {
        "decisions": 1,
        "filed": A_PROMISE,
        "published": A_PROMISE | {"at": 0.4, "today": {"count": 9, "wrong": 1, "bound": 0.4}},
    },
    "wishes": {"filed": EVIL, "published": EVIL},
    "kept": {"filed": EVIL, "published": EVIL},
}
SAMPLES["policy"] = ("console", "policy/policy.html", POLICY)
REPORT: dict[str, Any] = {
    "changed": 3,
    "verdicts": 9,
    "unchanged": {EVIL: 6},
    "days": 30,
    "since": NOW,
    "model": EVIL,
    "run": None,
    "serving": EVIL,
    "models": [EVIL],
    "capped": True,
    "differs": {"articles": f"{EVIL} → open"},
    "changes": [{"from": "publish", "to": EVIL, "count": 3, "already": 0, "agree": 1, "disagree": 0}],
    "decided": {"agree": 1, "disagree": 0},
    "reasons": [{"reason": EVIL, "from": 0, "to": 2, "both": 0}],
    "labels": {"insult": {"decided": 1, "from": 0, "to": 1}},
    "log_loss": {"from": 0.5, "to": 0.25},
    "not_replayed": {"count": 1, "why": {"address": 1, EVIL: 1}, "comments": [EVIL]},
    "examples": [
        {"url": "/moderate/comments/c", "created_at": NOW, "name": EVIL, "excerpt": EVIL, "from": EVIL, "to": "hold"}
        | {"reasons": [EVIL], "already": False, "decided": "spam", "agrees": True}
    ],
}
WHAT_IF = POLICY | {"days": 7, "day_choices": (7, 30), "model": EVIL, "report": REPORT, "following": None}
SAMPLES["what-if"] = ("console", "policy/what-if.html", WHAT_IF | {"errors": POLICY["errors"] | {"model": EVIL}})
RUN = {"model": EVIL, "running": True, "started_at": NOW, "ended_at": None, "outcome": None, "problem": EVIL}
SAMPLES["read-along"] = (
    "console",
    "policy/what-if.html",
    WHAT_IF | {"report": REPORT | {"days": None, "run": RUN}, "following": "x.1", "may_change": True, "problem": EVIL},
)
SAMPLES["what-if-fresh"] = (
    "console",
    "policy/what-if.html",
    WHAT_IF | {"report": {"run": None, "days": None, "models": [], "serving": ""}, "errors": {}, "may_change": True},
)
SAMPLES["mail"] = (
    "console",
    "outbox/mail.html",
    {**CONSOLE, "settings": {"server": EVIL, "from": EVIL}, "tried": {"taken": False, "said": EVIL}},
)
SAMPLES["mail-none"] = ("console", "outbox/mail.html", {**CONSOLE, "settings": {}, "tried": None})
SAMPLES["policy-fresh"] = (
    "console",
    "policy/policy.html",
    POLICY | {"errors": {}, "changes": [], "long": [], "may_change": False, "filled": False, "problem": ""},
)
