"""Import: another system's records → articles, comments and past verdicts. Idempotent.

It works in batches, one transaction each, so that a running service continues between them. Old ids are stored: a second run,
or one after an interruption, adds missing rows and changes no existing ones.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from moderation.articles import register
from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments.decision import MOST_APPEALED
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment
from moderation.comments.store_decisions import Decision
from moderation.core.ids import first_id_at, new_id
from moderation.core.problem import Problem
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.transfer import history
from moderation.transfer import store as imports
from moderation.transfer.normalise import Prepared, as_judged, clean, past_verdict, ready, ready_article
from moderation.transfer.places import reunite, tree
from moderation.transfer.records import ImportedArticle, ImportedComment, ImportedSubmission, Record, Skipped
from moderation.transfer.store import ARTICLE, COMMENT, ImportedId

FEWEST, BATCH, BATCH_SIZE = 25, 500, 2_000_000
"""Records in one transaction, at least and at most, and characters of their texts."""
PATIENCE = 0.1
"""Seconds that a new comment may wait for one transaction; batches shrink if it takes longer."""


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
    unlisted: int = 0
    """Articles that no file has described as public: their comments are not shown."""
    taken: int = 0
    """Records of the file that are stored now, new ones or not."""


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
        await reunite(self.database, self.site, self.source)
        async with self.database.transaction() as tx:
            self.result.orphans = await imports.orphans(tx, self.site, self.source)
            self.result.unlisted = len(await sites.unlisted(tx, self.site))
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
        dates = await self._dates(batch, articles)
        for record in batch:
            if isinstance(record, Skipped):
                self.skip(record.where, record.reason)
            elif isinstance(record, ImportedComment):
                try:
                    at = record.created_at or dates.get(record.parent) or dates.get(f"article {record.article}")
                    arrived.append(ready(record, self.signer, self.site, self.now, at))
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
            await imports.add(tx, self._pingbacks(batch))
            await sites.touch(tx, self.site, (c.article for _, c, _ in placed if c.status == "approved"))
        return time.monotonic() - began

    async def _dates(self, batch: list[Record], articles: list[ImportedArticle]) -> dict[str, int | None]:
        """For comments without a date: foreign id of a parent → its date, `article` and foreign id → that of the article."""
        undated = [r for r in batch if isinstance(r, ImportedComment) and not r.created_at]
        if not undated:
            return {}
        async with self.database.reading() as session:
            above = await imports.found(session, self.site, self.source, COMMENT, {r.parent for r in undated})
            keys = await imports.found(session, self.site, self.source, ARTICLE, {r.article for r in undated})
            parents = await comments.of_site(session, self.site, set(above.values())) if above else {}
            here = await sites.articles(session, self.site, set(keys.values())) if keys else {}
        dates: dict[str, int | None] = {id: parents[ours].created_at for id, ours in above.items() if ours in parents}
        for foreign, key in keys.items():
            if article := here.get(key):
                dates[f"article {foreign}"] = article.published_at or article.created_at
        dates |= {f"article {a.foreign}": a.published_at for a in articles if a.published_at}
        # a reply to a reply without a date has the date of the first one above that has one
        for record in (r for r in batch if isinstance(r, ImportedComment)):
            dates[record.foreign] = record.created_at or dates.get(record.parent)
        return dates

    async def _articles(self, tx: Session, batch: list[ImportedArticle], arrived: list[Prepared]) -> dict[str, str]:
        """Foreign id → key, empty for unpublished articles. Creates missing articles, and fills missing values of existing ones."""
        keys = await imports.found(
            tx, self.site, self.source, ARTICLE, {a.foreign for a in batch} | {r.past.article for r in arrived}
        )
        fresh = {a.foreign: a for a in reversed(batch) if not keys.get(a.foreign)}
        for past in (r.past for r in arrived):
            if past.article not in keys and past.article not in fresh and past.key:
                fresh[past.article] = ImportedArticle(foreign=past.article, key=past.key, is_listed=False)
        await imports.tell(tx, self.site, self.source, {foreign: a.key for foreign, a in fresh.items()})
        await imports.describe(tx, self.site, self.source, {a.foreign: a.origin for a in batch if a.origin})
        keys |= {foreign: a.key for foreign, a in fresh.items()}
        named = {key for key in keys.values() if key}
        here = await sites.articles(tx, self.site, named) if named else {}
        first = {keys.get(r.past.article): r.comment.created_at for r in reversed(arrived)}
        for a in [*fresh.values(), *batch]:
            if not (key := keys[a.foreign]):
                continue
            old = here.get(key)
            new = self._article(a, key, old, min(a.published_at or first.get(key) or 0, self.now))
            self.result.taken += 1
            if new != old:
                await register.register(tx, new)
                here[key] = new
                self.result.articles += old is None
            await imports.add(
                tx,
                (
                    ImportedId(
                        site=self.site, source=source, kind=ARTICLE, foreign_id=id, id=key, origin="".join(origin)
                    )
                    for source, id, *origin in a.ids
                ),
            )
        return keys

    def _article(self, a: ImportedArticle, key: str, old: Article | None, at: int) -> Article:
        """The article with its gaps filled. What a file knows of an unpublished page fills none, and unlists its article."""
        if old is None:
            return Article(
                site=self.site,
                key=key,
                title=a.title,
                url=a.url or None,
                text=a.text,
                published_at=a.published_at,
                comments_open=a.comments_open,
                is_listed=a.is_listed,
                created_at=at,
            )
        if not a.key:
            return replace(old, is_listed=False)
        return replace(
            old,
            title=old.title or a.title,
            url=old.url or a.url or None,
            text=old.text or a.text,
            published_at=a.published_at if old.published_at is None else old.published_at,
            is_listed=old.is_listed or a.is_listed,
        )

    def _with_article(self, arrived: list[Prepared], keys: dict[str, str]) -> list[Prepared]:
        placed = []
        for r in arrived:
            key = keys.get(r.past.article)
            if key:
                placed.append(replace(r, comment=replace(r.comment, article=key)))
            elif key is None:
                self.skip(r.past.where, "its article is in no file that came before")
            else:
                self.skip(r.past.where, "its article is not published, or has no address")
        return placed

    async def _new(self, tx: Session, arrived: list[Prepared]) -> tuple[list[Prepared], dict[str, str]]:
        """The new comments; and foreign id → id of all existing ones, parents included."""
        wanted = {r.past.foreign for r in arrived} | {r.past.parent for r in arrived if r.past.parent}
        known = await imports.found(tx, self.site, self.source, COMMENT, wanted)
        own = {id for r in arrived if r.past.kept for id in (r.past.foreign, r.past.parent) if id and id not in known}
        taken = await comments.find(tx, own) if own else {}
        known |= {id: id for id, c in taken.items() if c.site == self.site}
        external = [r.comment.external_id for r in arrived if r.comment.external_id]
        used = await comments.by_external_id(tx, self.site, external) if external else {}
        arrived = [without_id(r) if r.comment.external_id in used else r for r in arrived]
        new, seen = [], set[str]()
        for r in arrived:
            foreign = r.past.foreign
            if foreign in seen:
                self.skip(r.past.where, "twice in the file")
            elif foreign not in known:
                if foreign in taken:  # a copy of another site's comment: ids are globally unique
                    r = replace(r, comment=replace(r.comment, id=new_id(r.comment.created_at)))
                new.append(r)
            elif not r.past.kept and r.past.created_at and known[foreign][:10] != first_id_at(r.past.created_at)[:10]:
                self.skip(
                    r.past.where, "another comment came with this id; is it another blog? Give it a site of its own"
                )
            else:
                self.result.known += 1
                self.result.taken += 1
            seen.add(foreign)
        self.result.taken += len(new)
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
                link_hosts=r.link_hosts,
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
                entries += history.decided(self.site, c.id, kept.decisions, is_same=c.id == r.past.foreign)
                ids += [
                    ImportedId(
                        site=self.site, source=source, kind=COMMENT, foreign_id=id, id=c.id, origin="".join(origin)
                    )
                    for source, id, *origin in kept.ids
                ]
            else:
                entries += history.taught(c)
            ids.append(
                ImportedId(
                    site=self.site,
                    source=self.source,
                    kind=COMMENT,
                    foreign_id=r.past.foreign,
                    id=c.id,
                    missing_parent=waits,
                    origin=r.past.origin,
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

    def _pingbacks(self, batch: list[Record]) -> list[ImportedId]:
        ids = [record.pingback for record in batch if isinstance(record, Skipped) and record.pingback]
        return [
            ImportedId(site=self.site, source=self.source, kind=COMMENT, foreign_id=id, id=imports.PINGBACK)
            for id in ids
        ]

    async def _judged(self, tx: Session, submissions: list[ImportedSubmission]) -> None:
        """Judged texts that never were comments."""
        known = await imports.found(tx, self.site, self.source, COMMENT, {s.foreign for s in submissions})
        known |= dict.fromkeys(await comments.judged_already(tx, [s.foreign for s in submissions]), "")
        self.result.taken += len(submissions)
        for s in {s.foreign: s for s in submissions if s.foreign not in known}.values():
            await comments.add_verdicts(tx, history.judged_alone(self.site, s))
            entries = history.decided(self.site, s.foreign, s.decisions, is_same=True)
            await decisions.add(tx, entries)
            await imports.add(
                tx, [ImportedId(site=self.site, source=self.source, kind=COMMENT, foreign_id=s.foreign, id=s.foreign)]
            )
            self.result.decisions.update(e.action or "label" for e in entries)


def without_id(prepared: Prepared) -> Prepared:
    """The comment without the id in its keeper's system, which another comment here has already."""
    return replace(prepared, comment=replace(prepared.comment, external_id=None))


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
