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
HOST = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+")
DOMAIN = re.compile(r"(?:\*\.)?[\w-]+(?:\.[\w-]+)*\.(?:[^\W\d_]{2,}|xn--[a-z0-9-]+)|\*?\.[^\W\d_]{2,}")
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: without spaces between words, so an entry matches anywhere."""
_LETTER = rf"[^\W{SPACELESS.pattern[1:-1]}]"
WORD = re.compile(f"{_LETTER}+")
"""A word of a script with spaces, which ends where one without them begins."""

_APOSTROPHE = re.compile("['`\u00b4\u02b9\u02bb\u02bc\u02c8\u02ca\u02cb\u2018\u2019\u201b\u2032\u2035\ua78c\uff07]")
"""Telephones type U+2019 for the apostrophe, other keyboards an accent or a prime."""
_DASH = re.compile("[-\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d]")

_AFTER_ANY = "은 는 이 가 을 를 에 의 도 로 와 과 만"
_AFTER_LONGER = (
    "으로 나 이나 랑 이랑 하고 께 께서 한테 한테서 에게 에게서 에서 로서 로써 으로서 으로써 까지 부터 보다 처럼 같은 같이 마다 조차 마저 밖에 뿐 대로 "
    "라도 이라도 라고 이라고 라는 이라는 라면 이라면 란 이란 야 이야 아 여 이여 며 이며 든 이든 든지 이든지 고 이고 다 이다 입니다 예요 이에요 에요 "
    "였다 이었다 였습니다 이었습니다 인 인데 인가 인가요 네요 이네요 죠 이죠 들 요"
)
_STACKED = "에 에서 에게 에게서 한테 한테서 께 께서 로 으로 로서 으로서 로써 으로써 와 과 하고 랑 이랑 까지 부터 만 보다 처럼 마다 뿐 밖에 조차 마저 대로"
_ON_TOP = "은 는 이 을 도 만 의 나 요 까지 부터 이라도 라도 조차 마저 밖에 보다"
_PARTICLES = set(_AFTER_ANY.split())
_LONGER_PARTICLES = set(_AFTER_LONGER.split()) | {a + b for a in _STACKED.split() for b in _ON_TOP.split()}
"""Korean particles follow a word without a space; the second kind only words of at least two characters, for a word of one
character with one of these is often another word. One of place or manner may have another on top (에서는, 로부터). 들 (the plural) may stand before any of them."""
_LONGEST_PARTICLE = max(map(len, _LONGER_PARTICLES))
_ENDINGS = {plural + p for p in _PARTICLES | _LONGER_PARTICLES for plural in ("", "들")}
_HANGUL = re.compile("[\uac00-\ud7a3]")
_DOTTED = re.compile("i\u0307+|\u0131")
"""Turkish İ and ı: a word in capitals does not say which of the two i it has."""

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
    """A form that is equal for visually equal letters: NFKC, case folded, without invisible characters, and with one kind
    of apostrophe and of dash."""
    if text.isascii():
        return text.lower().replace("`", "'")
    seen = normalize("NFKC", normalize("NFKC", _one_sign(text)).casefold())
    return normalize("NFKC", _DOTTED.sub("i", _one_sign(UNSEEN.sub("", seen))))


def _one_sign(text: str) -> str:
    return _DASH.sub("-", _APOSTROPHE.sub("'", text))


def stems(word: str) -> Iterator[str]:
    """A folded word without each Korean particle that it may end in."""
    for length in range(1, min(_LONGEST_PARTICLE, len(word) - 1) + 1):
        stem, end = word[:-length], word[-length:]
        if end in _PARTICLES or (end in _LONGER_PARTICLES and len(stem) > 1):
            yield stem
            if stem.endswith("들") and len(stem) > 2:
                yield stem[:-1]


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


Kind = tuple[bool, bool, bool]
"""Any letters may stand before an entry, any after it, a Korean particle after it."""


class Odd:
    """Entries with other signs than letters (`buy-now`, `c++`, `50 % off`), found as whole words like the others.

    A pattern for each would take milliseconds to compile, a minute for ten thousand. Instead a text is cut into windows of the
    entries' lengths, and only for entries whose longest whole word stands in it.
    """

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[str, str]] = {}
        self._by_word: dict[str, list[tuple[Kind, str]]] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def passes(self) -> int:
        """The most windows that begin at one place of a text."""
        return sum(len(lengths(table)) for table in self._entries.values())

    def add(self, plain: str, entry: str) -> None:
        """`plain`: the entry, folded."""
        core = " ".join(plain.strip("*").split())
        before, after, korean = plain.startswith("*"), plain.endswith("*"), _HANGUL.search(plain) is not None
        kind = (before, after, korean and not after)
        table = self._entries.setdefault(kind, {})
        if core not in table:
            size, is_open = len(core), after or korean
            runs = [run for run in WORD.finditer(core) if run.start() or not before]
            whole = [run[0] for run in runs if run.end() < size or not is_open]
            self._by_word.setdefault(max(whole, key=len, default=""), []).append((kind, core))
        table[core] = entry

    def found(self, plain: str, words: list[str]) -> Iterator[str]:
        """The entries in a folded text with these words."""
        sought: dict[Kind, dict[int, set[str]]] = {}
        for word in self._by_word.keys() & {"", *words}:
            for kind, core in self._by_word[word]:
                sought.setdefault(kind, {}).setdefault(len(core), set()).add(core)
        if not sought:
            return
        text = " ".join(plain.split())
        runs = [run.span() for run in WORD.finditer(text)]
        after_letter = {at for start, end in runs for at in range(start + 1, end + 1)}
        before_letter = {at for start, end in runs for at in range(start, end)}
        tails = ((at, end) for start, end in runs for at in range(max(start, end - _LONGEST_PARTICLE - 1), end))
        before_particle = {at for at, end in tails if text[at:end] in _ENDINGS}
        for (before, after, korean), by_size in sought.items():
            starts = [at for at in range(len(text)) if before or at not in after_letter]
            no_ends = set() if after else before_letter - before_particle if korean else before_letter
            table = self._entries[before, after, korean]
            for size, cores in by_size.items():
                cut = {text[at : at + size] for at in starts if at + size not in no_ends}
                yield from (table[core] for core in cores & cut)


class Listed:
    """One list. `*` before or after a word matches any letters; a domain also matches its subdomains, `*.` only those."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._phrases: dict[str, str] = {}
        self._starts: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._odd = Odd()
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
        self._some = bool(self._phrases or self._starts or self._ends or self._parts or self._odd or self._domains)
        self._some = self._some or bool(self._below)
        self.passes = 2 + len(self._words) + sum(len(sizes) for _, sizes in self._tried) + self._odd.passes
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
            self._odd.add(plain, entry)

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
        is_korean = _HANGUL.search(plain) is not None
        with_stems = [*words, *(stem for word in words for stem in stems(word))] if is_korean else words
        found: dict[str, None] = {}
        for size in self._words:
            if size == 1:
                found.update((self._phrases[w], None) for w in self._phrases.keys() & set(with_stems))
            else:
                runs = [words[at : at + size] for at in range(len(words) - size + 1)]
                if is_korean:
                    runs += [[*run[:-1], stem] for run in runs for stem in stems(run[-1])]
                phrases = (" ".join(run) for run in runs)
                found.update((self._phrases[phrase], None) for phrase in phrases if phrase in self._phrases)
        for table, sizes in self._tried:
            for size in sizes:
                if table is self._parts:
                    cut = {plain[at : at + size] for at in range(len(plain) - size + 1)}
                else:
                    cut = {w[:size] if table is self._starts else w[-size:] for w in with_stems}
                found.update((table[part], None) for part in table.keys() & cut)
        found.update((entry, None) for entry in self._odd.found(plain, words))
        if (self._domains or self._below) and "." in plain:
            found.update((entry, None) for host in HOST.findall(plain) if (entry := self.domain(host)))
        return sorted(found)[:MOST_FOUND]

    def spans(self, entry: str, text: str) -> tuple[tuple[int, int], ...]:
        """The spans of an entry in its exact spelling; none for other spellings."""
        written = re.compile(pattern(entry, particles=_HANGUL.search(text) is not None), re.IGNORECASE)
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


def pattern(entry: str, *, particles: bool = False) -> str:
    """A pattern for an entry as a whole word: `*` at either end matches any letters, a space any white space, an apostrophe
    and a dash any of their kind. With `particles`, a Korean particle may follow.

    A `*` inside is literal: the time of a search with several wildcards grows with the power of their number.
    """
    core = r"\s+".join(map(_any_sign, entry.strip("*").split()))
    if SPACELESS.search(entry):
        return core
    before, after = (rf"{_LETTER}*" if star else "" for star in (entry.startswith("*"), entry.endswith("*")))
    end = rf"(?!{_LETTER})"
    if particles and not after:
        kinds = _PARTICLES if len(entry) == 1 else _PARTICLES | _LONGER_PARTICLES
        end = f"(?=(?:들?(?:{'|'.join(sorted(kinds))}))?{end})"
    return rf"(?<!{_LETTER}){before}{core}{after}{end}"


def _any_sign(word: str) -> str:
    """A pattern for a word."""
    kinds = {"'": _APOSTROPHE.pattern, "-": _DASH.pattern}
    return "".join(kinds.get(_one_sign(character)) or re.escape(character) for character in word)


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # reads its file on import, so only for sites that use it

    return frozenset(blocklist)


def is_disposable(domain: str) -> bool:
    """Whether a domain, or a parent of it, is in the package `disposable-email-domains`."""
    return any(above in _disposable() for above in parents(ascii_domain(domain)))
