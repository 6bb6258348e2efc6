"""Usage of API keys: counted in memory, written in one transaction now and then, so that no check waits for a commit of its own.

A crash loses the counts of the last seconds. They are for people to look at; nothing is decided by them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from typing_extensions import TypedDict

from moderation.db.database import Database
from moderation.dialects.akismet_form import Parameters
from moderation.sites.model import DAY
from moderation.team import store_key_usage as store
from moderation.team.model import Principal
from moderation.team.store_key_usage import BlogUsage, Counts, Key

BLOGS = 1_000
"""The most client's sites of one process's day that are counted by name; the checks of further ones count as those of OTHERS."""
OTHERS = "other-sites"
ORDERS = {
    "total": "calls",
    "spam": "spam",
    "ham": "ham",
    "missed_spam": "missed_spam",
    "false_positives": "false_positives",
}
LIMIT, MOST = 500, 10_000
"""Client's sites of one answer: by default, and at most."""
FOREVER = 1 << 31
"""A day after all others."""


class KeyUsage:
    """One for each process."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self.database, self.clock = database, clock
        self._counted: dict[Key, Counts] = {}
        self._named: set[Key] = set()
        self._day = 0

    def count(self, principal: Principal, blog: str, counts: Counts = Counts()) -> None:  # noqa: B008
        """Counts a use of a key for a client's site. Without counts it only links the site again."""
        key = self._key(principal, blog)
        self._counted[key] = self._counted.get(key, Counts()) + counts

    def _key(self, principal: Principal, blog: str) -> Key:
        day = self.clock() // DAY
        if day != self._day:
            self._day, self._named = day, set()
        key = Key(principal.site, principal.token_hash, blog, day)
        if key not in self._named:
            if len(self._named) >= BLOGS:
                return key._replace(blog=OTHERS)
            self._named.add(key)
        return key

    async def is_waiting(self) -> bool:
        return bool(self._counted)

    async def flush(self) -> None:
        """Writes the counts. Raises Unavailable; they are kept for the next time."""
        counted, self._counted = self._counted, {}
        if not counted:
            return
        try:
            async with self.database.transaction() as tx:
                await store.add(tx, counted)
        except BaseException:
            for key, counts in counted.items():
                self._counted[key] = self._counted.get(key, Counts()) + counts
            raise

    async def unlink(self, principal: Principal, blog: str) -> None:
        """Takes a client's site off a key. Earlier counts of this process are written first: they would link it again."""
        await self.flush()
        async with self.database.transaction() as tx:
            await store.unlink(tx, self._key(principal, blog))

    async def checks_of_month(self, principal: Principal) -> int:
        """The comments that were checked with a key in this month, over all sites of clients."""
        await self.flush()
        month = month_of(self.clock() // DAY)
        async with self.database.reading() as session:
            return (await store.total(session, principal, month.first, month.last)).calls

    async def of_sites(self, principal: Principal, month: Month) -> list[BlogUsage]:
        """What each client's site has used in a month."""
        await self.flush()
        async with self.database.reading() as session:
            return await store.by_blog(session, principal, month.first, month.last)

    async def of_days(self, principal: Principal, blog: str, first: int) -> Mapping[int, tuple[Counts, int]]:
        """Day → the counts of a client's site, or of all for an empty one; and the number of sites."""
        await self.flush()
        async with self.database.reading() as session:
            return await store.by_day(session, principal, first, FOREVER, blog)


# --- months ------------------------------------------------------------------------------------------------------------


class Month(NamedTuple):
    """`first` to before `last`: days since 1970."""

    name: str
    first: int
    last: int


def month_of(day: int) -> Month:
    at = datetime.fromtimestamp(day * 86_400, UTC)
    return month(at.year, at.month)


def month(year: int, number: int) -> Month:
    first = datetime(year, number, 1, tzinfo=UTC)
    last = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Month(f"{year:04}-{number:02}", *(int(at.timestamp()) // 86_400 for at in (first, last)))


def month_named(text: str, now: int) -> Month:
    """The month of `YYYY-MM`; the present one for any other text."""
    year, dash, number = text.strip().partition("-")
    is_month = len(year) == 4 and len(number) == 2 and dash and (year + number).isascii() and (year + number).isdigit()
    if is_month and 1970 <= int(year) < 9999 and 1 <= int(number) <= 12:
        return month(int(year), int(number))
    return month_of(now // DAY)


# --- Akismet's answers -------------------------------------------------------------------------------------------------


class SitePage(NamedTuple):
    """A page of the sites of one month."""

    month: str
    sites: list[BlogUsage]
    limit: int
    offset: int
    total: int


def number(text: str, default: int, least: int, most: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return default
    return min(max(int(text[:9]), least), most)


def page_of(used: list[BlogUsage], month: Month, given: Parameters) -> SitePage:
    """The sites that a request of `key-sites` names, in its order."""
    named = given.get("filter").strip().lower()
    order = ORDERS.get(given.get("order").strip(), "calls")
    sites = [one for one in used if named in one.blog.lower() and (any(one.counts.values) or one.is_unlinked)]
    sites.sort(key=lambda one: (-getattr(one.counts, order), one.blog))
    limit = number(given.get("limit"), LIMIT, 1, MOST)
    offset = number(given.get("offset"), 0, 0, 1_000_000)
    return SitePage(month.name, sites[offset : offset + limit], limit, offset, len(sites))


def sites_document(page: SitePage) -> dict[str, object]:
    """JSON for `key-sites`, with the counts as texts."""
    rows = [
        {
            "site": one.blog,
            "api_calls": str(one.counts.calls),
            "spam": str(one.counts.spam),
            "ham": str(one.counts.ham),
            "missed_spam": str(one.counts.missed_spam),
            "false_positives": str(one.counts.false_positives),
            "is_revoked": one.is_unlinked,
        }
        for one in page.sites
    ]
    return {page.month: rows, "limit": page.limit, "offset": page.offset, "total": page.total}


def sites_csv(page: SitePage) -> str:
    """CSV for `key-sites`. Its title names the key at Akismet; a key is in no answer here."""
    text = io.StringIO()
    text.write(
        f"Active sites for this key during {page.month} (limit:{page.limit}, offset: {page.offset}, total: {page.total})\n"
    )
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked"))
    rows.writerows((one.blog, *one.counts.values, str(one.is_unlinked).lower()) for one in page.sites)
    return text.getvalue()


class StatsPart(TypedDict):
    spam: int
    ham: int
    missed_spam: int
    false_positives: int
    blogs: int
    da: str


class Stats(TypedDict):
    """Akismet's `get-stats`."""

    spam: int
    ham: int
    missed_spam: int
    false_positives: int
    accuracy: str
    time_saved: int
    breakdown: dict[str, StatsPart]


SPANS = {"60-days": 60, "6-months": 184}
"""`from` → days; every other value is all of them."""


def stats_document(used: Mapping[int, tuple[Counts, int]], by_day: bool) -> Stats:
    """JSON for `get-stats`, with a part for each day or month. `accuracy`: the percentage of answers that nobody has reported
    as wrong; `0` without answers. Saved time is not measured, so it is 0."""
    sums, parts = Counts(), dict[str, tuple[Counts, int]]()
    for day, (counts, blogs) in used.items():
        sums += counts
        date = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
        name = date if by_day else date[:7]
        before, most = parts.get(name, (Counts(), 0))
        parts[name] = (before + counts, max(most, blogs))
    answers, wrong = sums.spam + sums.ham, sums.missed_spam + sums.false_positives
    accuracy = f"{100 * max(0, answers - wrong) / answers:.2f}" if answers else "0"
    return {
        "spam": sums.spam,
        "ham": sums.ham,
        "missed_spam": sums.missed_spam,
        "false_positives": sums.false_positives,
        "accuracy": accuracy,
        "time_saved": 0,
        "breakdown": {
            name: {
                "spam": counts.spam,
                "ham": counts.ham,
                "missed_spam": counts.missed_spam,
                "false_positives": counts.false_positives,
                "blogs": blogs,
                "da": name if by_day else f"{name}-01",
            }
            for name, (counts, blogs) in parts.items()
        },
    }
