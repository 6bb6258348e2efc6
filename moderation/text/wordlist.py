"""A site's lists of words, domains, authors and addresses, compiled once and applied to every comment.

A list can have thousands of entries, so entries are looked up, not tried one by one: words in a set, domains by their
suffixes, addresses by their prefixes, and text in scripts without spaces in windows of the listed lengths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

import idna

from classifier.streamsafe import normalize, stream_safe

# Invisible: soft hyphen, joiners, direction marks, variation selectors, tags, fillers.
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
WORD = re.compile(r"\w+")
HOST = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+")
DOMAIN = re.compile(r"(?:\*\.)?[\w-]+(?:\.[\w-]+)*\.(?:[^\W\d_]{2,}|xn--[a-z0-9-]+)|\*?\.[^\W\d_]{2,}")
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: without spaces between words, so an entry matches anywhere."""

AUTHOR = "author:"
"""Prefix of an author's key, which a list stores in place of the readable email address."""

ADDRESS = "address:"
"""Prefix of a network address's key, taken from a comment; the address itself is not stored."""
KEY = re.compile("[0-9a-f]{32}")

HOST_LONGEST = 253
"""Characters of a domain name (RFC 1035)."""

MOST_FOUND = 10
"""Matching entries named in one verdict, for each searched field."""


def folded(text: str) -> str:
    """A form that is equal for visually equal letters: NFKC, case folded, without invisible characters."""
    if text.isascii():
        return text.lower()
    seen = normalize("NFKC", text).casefold()
    return UNSEEN.sub("", normalize("NFKC", seen))


@lru_cache(4096)
def ascii_domain(domain: str) -> str:
    """A domain in lower-case ASCII (`xn--`); a text that cannot be a domain is returned unchanged."""
    if len(domain) > HOST_LONGEST:
        return domain.casefold()
    try:
        return domain.lower() if domain.isascii() else idna.encode(stream_safe(domain), uts46=True).decode()
    except idna.IDNAError:
        return domain.casefold()


def parents(host: str) -> Iterator[str]:
    """`a.b.example`, `b.example`, `example`."""
    while host:
        yield host
        host = host.partition(".")[2]


class Listed:
    """One list. `*` before or after a word matches any letters; a domain also matches its subdomains, `*.` only those."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._phrases: dict[str, str] = {}
        self._starts: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._odd: list[tuple[str, re.Pattern[str]]] = []
        self._domains: dict[str, str] = {}
        self._below: dict[str, str] = {}
        self._people: set[str] = set()
        self._places: set[str] = set()
        self._networks: dict[tuple[int, int], set[int]] = {}
        for entry in entries:
            if entry.strip():
                self._add(entry.strip())
        self._tried = [(table, lengths(table)) for table in (self._starts, self._ends, self._parts)]
        self._words = sorted({phrase.count(" ") + 1 for phrase in self._phrases})
        self._any_odd = re.compile("|".join(p.pattern for _, p in self._odd)) if self._odd else None
        self._some = bool(self._phrases or self._starts or self._ends or self._parts or self._odd or self._domains)
        self._some = self._some or bool(self._below)
        self.passes = 2 + len(self._words) + sum(len(sizes) for _, sizes in self._tried) + len(self._odd) // 10
        """The number of passes of `in_text` over a text, for an estimate of its time; 0 without words."""
        self.passes *= self._some

    def _add(self, entry: str) -> None:
        if entry.startswith(AUTHOR):
            self._people.add(entry.removeprefix(AUTHOR))
            return
        if entry.startswith(ADDRESS) and KEY.fullmatch(entry.removeprefix(ADDRESS)):
            self._places.add(entry.removeprefix(ADDRESS))
            return
        plain = folded(entry)
        if "/" in entry or ":" in entry or entry[-1].isdigit():
            try:
                network = ip_network(entry, strict=False)
                whole = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
                self._networks.setdefault((network.version, network.prefixlen), set()).add(whole)
                return
            except ValueError:
                pass  # a word or a domain
        plain = plain.removeprefix("@")
        if DOMAIN.fullmatch(plain):
            bare = plain.removeprefix("*").removeprefix(".")
            for spelt in (bare, ascii_domain(bare)):
                (self._domains if bare == plain else self._below)[spelt] = entry
            return
        core = plain.strip("*")
        if not core:
            return
        words = " ".join(core.split())
        if SPACELESS.search(plain):
            self._parts[words] = entry
        elif WORD.fullmatch(core) and core != plain:
            first, last = plain.startswith("*"), plain.endswith("*")
            (self._parts if first and last else self._ends if first else self._starts)[core] = entry
        elif core == plain and all(WORD.fullmatch(word) for word in words.split()):
            self._phrases[words] = entry
        else:
            self._odd.append((entry, re.compile(pattern(plain))))

    @cached_property
    def networks(self) -> frozenset[tuple[int, int, int]]:
        """The list's addresses and networks, for a comparison with another list."""
        keys = {(0, 0, int(key, 16)) for key in self._places}
        return frozenset((*kind, whole) for kind, known in self._networks.items() for whole in known) | keys

    def __bool__(self) -> bool:
        return self._some or bool(self._people or self._places or self._networks)

    def in_text(self, text: str) -> list[str]:
        """The entries in a text, as whole words in any visually equal spelling."""
        if not self._some:
            return []
        plain = folded(text)
        words = WORD.findall(plain)
        found: dict[str, None] = {}
        for size in self._words:
            if size == 1:
                found.update((self._phrases[w], None) for w in self._phrases.keys() & set(words))
            else:
                runs = (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
                found.update((self._phrases[run], None) for run in runs if run in self._phrases)
        for table, sizes in self._tried:
            for size in sizes:
                if table is self._parts:
                    cut = {plain[at : at + size] for at in range(len(plain) - size + 1)}
                else:
                    cut = {w[:size] if table is self._starts else w[-size:] for w in words}
                found.update((table[part], None) for part in table.keys() & cut)
        if self._any_odd and self._any_odd.search(plain):
            found.update((entry, None) for entry, one in self._odd if one.search(plain))
        if (self._domains or self._below) and "." in plain:
            found.update((entry, None) for host in HOST.findall(plain) if (entry := self.domain(host)))
        return sorted(found)[:MOST_FOUND]

    def spans(self, entry: str, text: str) -> tuple[tuple[int, int], ...]:
        """The spans of an entry in its exact spelling; none for other spellings."""
        written = re.compile(pattern(entry), re.IGNORECASE)
        return tuple(m.span() for m in written.finditer(text) if m.group())

    def domain(self, host: str) -> str | None:
        """The entry for this host or one of its parent domains."""
        if not (host and (self._domains or self._below)):
            return None
        if len(host) > HOST_LONGEST:  # too long for a domain name: only its end can be one
            host = host[-HOST_LONGEST:].partition(".")[2]
        for above in parents(host):
            if entry := self._domains.get(above) or (above != host and self._below.get(above)):
                return entry
        return None

    def author(self, key: str) -> bool:
        return bool(key) and key in self._people

    def network(self, key: str) -> bool:
        """The entry for the key of an address."""
        return bool(key) and key in self._places

    def address(self, address: str) -> bool:
        if not (address and self._networks):
            return False
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        number = int(ip)
        return any(
            version == ip.version and number >> (ip.max_prefixlen - length) in known
            for (version, length), known in self._networks.items()
        )


def lengths(table: dict[str, str]) -> list[int]:
    return sorted({len(part) for part in table})


def pattern(entry: str) -> str:
    """A pattern for an entry as a whole word: `*` at either end matches any letters, a space any white space.

    A `*` inside is literal: the time of a search with several wildcards grows with the power of their number.
    """
    core = r"\s+".join(map(re.escape, entry.strip("*").split()))
    if SPACELESS.search(entry):
        return core
    before, after = (r"\w*" if star else "" for star in (entry.startswith("*"), entry.endswith("*")))
    return rf"(?<!\w){before}{core}{after}(?!\w)"


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # reads its file on import, so only for sites that use it

    return frozenset(blocklist)


def is_disposable(domain: str) -> bool:
    """Whether a domain, or a parent of it, is in the package `disposable-email-domains`."""
    return any(above in _disposable() for above in parents(ascii_domain(domain)))
