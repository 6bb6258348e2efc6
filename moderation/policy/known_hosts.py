"""Which hosts may be known on a site: a person approved them in comments of several authors (`comments/store_hosts.py`), and
what stands there is not anybody's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from urllib.parse import urlsplit

from moderation.sites.model import Article, Site
from moderation.text.disguised import ascii_host, public_suffixes

REDIRECTORS = frozenset(
    [
        "adf.ly",
        "amp.dev",
        "away.vk.com",
        "cdn.ampproject.org",
        "cse.google.com",
        "disq.us",
        "duckduckgo.com",
        "feedproxy.google.com",
        "google.com",
        "href.li",
        "images.google.com",
        "l.facebook.com",
        "l.instagram.com",
        "l.messenger.com",
        "l.threads.net",
        "lm.facebook.com",
        "maps.google.com",
        "nullrefer.com",
        "out.reddit.com",
        "plus.google.com",
        "r.search.yahoo.com",
        "search.yahoo.com",
        "slack-redir.net",
        "steamcommunity.com",
        "t.co",
        "t.umblr.com",
        "translate.google.com",
        "urldefense.com",
        "urldefense.proofpoint.com",
        "vk.com",
        "www.google.com",
        "web.archive.org",
        "yandex.ru",
        "www.bing.com",
        "bing.com",
    ]
)
"""Hosts that lead on to any other one by an address of theirs. Addresses that spell another address out have no host at all
(`text/bare_addresses.host_of`)."""
_SHARED = frozenset(
    [
        "sites.google.com",
        "docs.google.com",
        "drive.google.com",
        "forms.gle",
        "telegra.ph",
        "t.me",
        "wa.me",
        "linktr.ee",
        "pastebin.com",
    ]
)
"""Hosts where anybody has a page within a minute."""


def may_be_known(host: str, shorteners: Collection[str]) -> bool:
    """Whether approvals of a host say something about its next page: not of shorteners and redirectors, and not of names below
    which anybody can have one (`github.io`, `co.uk`) or of their parents (`amazonaws.com`)."""
    bare = host.removeprefix("www.")
    if not host or {host, bare} & (REDIRECTORS | _SHARED) or host in shorteners or bare in shorteners:
        return False
    return host not in public_suffixes() and host not in parents()


@cache
def parents() -> frozenset[str]:
    """The proper parents of public suffixes."""
    return frozenset(
        suffix.split(".", cut)[cut] for suffix in public_suffixes() for cut in range(1, suffix.count(".") + 1)
    )


def own_hosts(site: Site, article: Article | None) -> set[str]:
    """The hosts of the site's origins, and of the article's page."""
    addresses = [*site.origins, *([article.url] if article and article.url else [])]
    return {host for address in addresses if (host := ascii_host(urlsplit(address).hostname or ""))}


def strange(hosts: Iterable[str], known: Collection[str]) -> int:
    """How many of the links lead to a host that is not known."""
    return sum(host not in known for host in hosts)
