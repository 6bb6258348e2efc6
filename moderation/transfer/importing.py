"""Import: another system's records → articles, comments and past verdicts. Idempotent.

It works in batches, one transaction each, so that a running service continues between them. Old ids are stored: a second run,
or one after an interruption, adds missing rows and changes no existing ones.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from classifier.labels import LABELS
from moderation.articles import register
from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments.decision import MOST_APPEALED, REASONS, STATUS_AFTER
from moderation.comments.model import Comment, below
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.store_decisions import Decision
from moderation.comments.verdict import Verdict
from moderation.core.ids import first_id_at, new_id
from moderation.core.problem import Problem
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.transfer import store as imports
from moderation.transfer.normalise import Prepared, as_judged, clean, past_verdict, ready, ready_article
from moderation.transfer.records import (
    ImportedArticle,
    ImportedComment,
    ImportedDecision,
    ImportedSubmission,
    Record,
    Skipped,
)
from moderation.transfer.store import ARTICLE, COMMENT, ImportedId

FEWEST, BATCH, BATCH_SIZE = 25, 500, 2_000_000
"""Records in one transaction, at least and at most, and characters of their texts."""
PATIENCE = 0.1
"""Seconds that a new comment may wait for one transaction; batches shrink if it takes longer."""
BY = "import"
"""The moderator whose decisions these are."""
TAUGHT = {"approved": "approve", "spam": "spam"}
"""The past verdicts that teach: published comments are good, spam is spam."""


@dataclass
class ImportResult:
    """The result of an import."""

    articles: int = 0
    comments: Counter[str] = field(default_factory=Counter)
    known: int = 0
    """Comments that existed already; they are unchanged."""
    decisions: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    """Replies without their parent in any file: they are at the top."""


class Importer:
    def __init__(
        self,
        database: Database,
        signer: Signer,
        site: str,
        source: str,
        now: int,
        skip: Callable[[Skipped], None] = lambda _: None,
    ) -> None:
        """`skip` receives each skipped row."""
        self.database, self.signer, self.site, self.source, self.now = database, signer, site, source, now
        self.result, self._skip = ImportResult(), skip

    async def run(
        self, records: Iterator[Record], progress: Callable[[ImportResult], None] = lambda _: None
    ) -> ImportResult:
        """Imports all records. A Problem of the reader is raised after its earlier records are stored."""
        broken: Problem | None = None
        many = BATCH // 4
        while True:
            batch, much = list[Record](), 0
            try:
                for record in islice(records, many):
                    batch.append(record)
                    much += size(record)
                    if much > BATCH_SIZE:
                        break
            except Problem as problem:
                broken = problem
            if batch:
                took = await self._store(batch)
                many = max(FEWEST, many // 2) if took > PATIENCE else min(BATCH, many + FEWEST)
                progress(self.result)
            if broken or not batch:
                break
        await self._reunite()
        async with self.database.transaction() as tx:
            self.result.orphans = await imports.orphans(tx, self.site, self.source)
            await audit.note(
                tx, site=self.site, at=self.now, actor="operator", action="site:import", subject=self.source,
                articles=self.result.articles, comments=self.result.comments.total(), complete=broken is None,
            )  # fmt: skip
        if broken:
            raise broken
        return self.result

    def skip(self, where: str, reason: str) -> None:
        self.result.skipped[reason] += 1
        self._skip(Skipped(where, reason))

    async def _store(self, batch: list[Record]) -> float:
        """Stores a batch and returns the seconds of its transaction; work without the database is done before."""
        articles = [
            ready_article(record) for record in batch if isinstance(record, ImportedArticle) and clean(record.foreign)
        ]
        arrived = list[Prepared]()
        for record in batch:
            if isinstance(record, Skipped):
                self.skip(record.where, record.reason)
            elif isinstance(record, ImportedComment):
                try:
                    arrived.append(ready(record, self.signer, self.site, self.now))
                except ValueError as error:
                    self.skip(record.where, str(error))
        judged = [record for record in batch if isinstance(record, ImportedSubmission)]
        duplicate_keys = {
            r.past.foreign: duplicates.keys_of(r.comment, links=has_link(r.comment)) for r in reversed(arrived)
        }
        async with self.database.transaction() as tx:
            began = time.monotonic()
            keys = await self._articles(tx, articles, arrived)
            arrived = self._with_article(arrived, keys)
            arrived, known = await self._new(tx, arrived)
            placed = await self._placed(tx, arrived, known)
            await self._write(tx, placed)
            await duplicates.keep_imported(
                tx, self.site, ((c.id, duplicate_keys[r.past.foreign]) for r, c, _ in placed)
            )
            await self._judged(tx, judged)
            await sites.touch(tx, self.site, (c.article for _, c, _ in placed if c.status == "approved"))
        return time.monotonic() - began

    async def _articles(self, tx: Session, told: list[ImportedArticle], arrived: list[Prepared]) -> dict[str, str]:
        """Foreign id → key, empty for unpublished articles. Creates missing articles, and fills missing values of existing ones."""
        wanted = {a.foreign for a in told} | {r.past.article for r in arrived}
        keys = await imports.found(tx, self.site, self.source, ARTICLE, wanted)
        fresh = {a.foreign: a for a in reversed(told) if not keys.get(a.foreign)}
        for past in (r.past for r in arrived):
            if past.article not in keys and past.article not in fresh and past.key:
                fresh[past.article] = ImportedArticle(foreign=past.article, key=past.key)
        await imports.tell(tx, self.site, self.source, {foreign: a.key for foreign, a in fresh.items()})
        keys |= {foreign: a.key for foreign, a in fresh.items()}
        named = {key for key in keys.values() if key}
        here = await sites.articles(tx, self.site, named) if named else {}
        first = {keys.get(r.past.article): r.comment.created_at for r in reversed(arrived)}
        for a in [*fresh.values(), *told]:
            if not (key := keys[a.foreign]):
                continue
            old = here.get(key)
            at = min(a.published_at or first.get(key) or 0, self.now)
            new = Article(
                site=self.site,
                key=key,
                title=(old and old.title) or a.title,
                url=(old and old.url) or a.url or None,
                text=(old and old.text) or a.text,
                published_at=old.published_at if old and old.published_at is not None else a.published_at,
                comments_open=old.comments_open if old else a.comments_open,
                revision=old.revision if old else 0,
                created_at=old.created_at if old else at,
            )
            if new != old:
                await register.register(tx, new)
                here[key] = new
                self.result.articles += old is None
            await imports.add(
                tx,
                (
                    ImportedId(site=self.site, source=source, kind=ARTICLE, foreign_id=id, id=key)
                    for source, id in a.ids
                ),
            )
        return keys

    def _with_article(self, arrived: list[Prepared], keys: dict[str, str]) -> list[Prepared]:
        found = []
        for r in arrived:
            key = keys.get(r.past.article)
            if key:
                found.append(replace(r, comment=replace(r.comment, article=key)))
            elif key is None:
                self.skip(r.past.where, "its article is in no file that came before")
            else:
                self.skip(r.past.where, "its article is not published, or has no address")
        return found

    async def _new(self, tx: Session, arrived: list[Prepared]) -> tuple[list[Prepared], dict[str, str]]:
        """The new comments; and foreign id → id of all existing ones, parents included."""
        wanted = {r.past.foreign for r in arrived} | {r.past.parent for r in arrived if r.past.parent}
        known = await imports.found(tx, self.site, self.source, COMMENT, wanted)
        own = {id for r in arrived if r.past.kept for id in (r.past.foreign, r.past.parent) if id and id not in known}
        taken = await comments.find(tx, own) if own else {}
        known |= {id: id for id, c in taken.items() if c.site == self.site}
        new, seen = [], set[str]()
        for r in arrived:
            foreign = r.past.foreign
            if foreign in seen:
                self.skip(r.past.where, "twice in the file")
            elif foreign not in known:
                if foreign in taken:  # a copy of another site's comment: ids are globally unique
                    r = replace(r, comment=replace(r.comment, id=new_id(r.comment.created_at)))
                new.append(r)
            elif not r.past.kept and known[foreign][:10] != first_id_at(r.comment.created_at)[:10]:
                self.skip(
                    r.past.where, "another comment came with this id; is it another blog? Give it a site of its own"
                )
            else:
                self.result.known += 1
            seen.add(foreign)
        return new, known

    async def _placed(
        self, tx: Session, new: list[Prepared], known: dict[str, str]
    ) -> list[tuple[Prepared, Comment, str | None]]:
        """Each comment with its place, and the foreign id of a missing parent."""
        answered = {known[r.past.parent] for r in new if r.past.parent in known}
        above = await comments.of_site(tx, self.site, answered) if answered else {}
        batch = {r.past.foreign: r for r in new}
        parents, waits = dict[str, str | None](), dict[str, str]()
        for r in new:
            parent, id = r.past.parent, r.comment.id
            other = batch[parent].comment if parent in batch else above.get(known.get(parent, ""))
            parents[id] = other.id if other and other.article == r.comment.article else None
            if parent and other is None and parent not in known:
                waits[id] = parent
        paths = tree(parents, {c.id: c.path for c in above.values()})
        return [
            (r, replace(r.comment, parent=paths[r.comment.id][0], path=paths[r.comment.id][1]), waits.get(r.comment.id))
            for r in new
        ]

    async def _write(self, tx: Session, placed: list[tuple[Prepared, Comment, str | None]]) -> None:
        verdicts, entries, ids = list[JudgedComment](), list[Decision](), list[ImportedId]()
        rows = list[JudgedComment]()
        for r, c, waits in placed:
            kept = r.past.kept
            judged = JudgedComment(
                comment=c,
                verdict=past_verdict(c, self.source),
                keys=r.keys,
                notify=bool(kept and kept.notify),
                email_domain=c.email.rpartition("@")[2],
                source="import",
            )
            told = {v.revision: v for v in kept.verdicts} if kept else {}
            # the queue sorts it by its last verdict, as it did where it came from
            rows.append(
                replace(judged, verdict=as_judged(judged, told[c.judged_revision]).verdict)
                if c.judged_revision in told
                else judged
            )
            verdicts += [as_judged(judged, v) for v in told.values()]
            if c.judged_revision not in told:
                verdicts.append(judged)
            if kept:
                entries += self._entries(c.id, c.id == r.past.foreign, kept.decisions)
                ids += [
                    ImportedId(site=self.site, source=source, kind=COMMENT, foreign_id=id, id=c.id)
                    for source, id in kept.ids
                ]
            elif c.status in TAUGHT:
                action = TAUGHT[c.status]
                entries.append(
                    Decision(
                        site=self.site,
                        id=new_id(c.created_at),
                        submission=c.id,
                        judged_revision=1,
                        action=action,
                        labels=(),
                        note="",
                        moderator=BY,
                        before_status="pending",
                        after_status=c.status,
                        after_revision=1,
                        created_at=c.created_at,
                    )
                )
            ids.append(
                ImportedId(
                    site=self.site,
                    source=self.source,
                    kind=COMMENT,
                    foreign_id=r.past.foreign,
                    id=c.id,
                    missing_parent=waits,
                )
            )
            self.result.comments[c.status] += 1
        await comments.add_comments(tx, rows)
        await comments.add_verdicts(tx, verdicts)
        await decisions.add(tx, entries)
        for r, c, _ in placed:
            said, at = (r.past.kept and r.past.kept.appeal) or ("", 0)
            if said := clean(said)[:MOST_APPEALED]:
                await appeals.add(tx, self.site, c.id, said, at)
        await imports.add(tx, ids)
        self.result.decisions.update(e.action or "label" for e in entries)

    def _entries(self, id: str, same: bool, told: Iterable[ImportedDecision]) -> list[Decision]:
        """The imported decisions, unchanged; with new ids for a copied comment."""
        known = {d.id: d for d in told if d.action is None or d.action in STATUS_AFTER}
        return [
            Decision(
                site=self.site,
                id=d.id if same else new_id(d.created_at),
                submission=id,
                judged_revision=d.judged_revision,
                action=d.action,
                labels=tuple(label for label in d.labels if label in LABELS),
                note=clean(d.note)[:1000],
                moderator=clean(d.moderator)[:300],
                before_status=d.before,
                after_status=d.after,
                after_revision=d.after_revision,
                created_at=d.created_at,
                undone_at=d.undone_at,
                undone_by=d.undone_by and clean(d.undone_by)[:300],
                reason=d.reason if d.reason in REASONS and d.action == "reject" else "",
            )
            for d in known.values()
        ]

    async def _judged(self, tx: Session, told: list[ImportedSubmission]) -> None:
        """JudgedComment texts that never were comments."""
        known = await imports.found(tx, self.site, self.source, COMMENT, {s.foreign for s in told})
        known |= dict.fromkeys(await comments.judged_already(tx, [s.foreign for s in told]), "")
        for s in {s.foreign: s for s in told if s.foreign not in known}.values():
            bare = Comment(
                id=s.foreign,
                site=self.site,
                article=clean(s.article)[:200],
                parent=None,
                path="",
                status="pending",
                revision=1,
                name="",
                email="",
                url=None,
                body="",
                html="",
                created_at=0,
            )
            judged = JudgedComment(
                comment=bare,
                verdict=Verdict(action="hold"),
                keys=Keys(author=s.author_key, network="", body=""),
                notify=False,
                email_domain=clean(s.email_domain)[:253],
                source="import",
            )
            await comments.add_verdicts(
                tx, [as_judged(judged, v) for v in {v.revision: v for v in s.verdicts}.values()]
            )
            entries = self._entries(s.foreign, True, s.decisions)
            await decisions.add(tx, entries)
            await imports.add(
                tx, [ImportedId(site=self.site, source=self.source, kind=COMMENT, foreign_id=s.foreign, id=s.foreign)]
            )
            self.result.decisions.update(e.action or "label" for e in entries)

    async def _reunite(self) -> None:
        """Moves replies that arrived before their parents below them, with their subtrees."""
        async with self.database.reading() as session:
            found = await imports.reunited(session, self.site, self.source)
        for article in found:
            async with self.database.transaction() as tx:
                waiting = await imports.parents(tx, self.site, self.source, article)
                rows = await comments.places(tx, self.site, article)
                here = {id for id, _, _ in rows}
                parents = {id: p if (p := waiting.get(id, parent)) in here else None for id, parent, _ in rows}
                paths = tree(parents, {})
                moved = [(id, *paths[id]) for id, parent, path in rows if paths[id] != (parent, path)]
                await comments.replace(tx, self.site, moved)
                await imports.settle(tx, self.site, self.source, waiting)
                await sites.touch(tx, self.site, [article])


def tree(parents: dict[str, str | None], paths: dict[str, str]) -> dict[str, tuple[str | None, str]]:
    """id → (parent, path). Deeper levels are attached to the deepest allowed one; members of a cycle are at the top."""
    placed = dict[str, tuple[str | None, str]]()
    for id in parents:
        chain, at, seen = list[str](), id, set[str]()
        while at in parents and at not in placed and at not in seen:
            chain.append(at)
            seen.add(at)
            at = parents[at] or ""
        above = placed[at][1] if at in placed else paths.get(at, "")
        for below_it in reversed(chain):
            placed[below_it] = below(below_it, above) if above else (None, below_it)
            above = placed[below_it][1]
    return placed


def has_link(comment: Comment) -> bool:
    return "://" in comment.text or "www." in comment.text


def size(record: Record) -> int:
    return (
        len(record.body)
        if isinstance(record, ImportedComment)
        else len(record.text)
        if isinstance(record, ImportedArticle)
        else 0
    )
