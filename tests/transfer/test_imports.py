"""The ids that comments had elsewhere: kept once, found by number, and in every backup."""

from __future__ import annotations

import pytest

from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import store as imports
from moderation.transfer import store_backup as dump
from moderation.transfer.store import ARTICLE, COMMENT, ImportedId


@pytest.mark.anyio
async def test_an_id_from_elsewhere_is_kept_once_and_found_on_its_own_site_only(database: Database) -> None:
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site"), 1)
        await imports.add(
            tx, [ImportedId(site="default", source="wordpress", kind=COMMENT, foreign_id="12", id="first")]
        )
        await imports.add(
            tx, [ImportedId(site="default", source="wordpress", kind=COMMENT, foreign_id="12", id="second")]
        )
        await imports.add(
            tx, [ImportedId(site="default", source="wordpress", kind=ARTICLE, foreign_id="12", id="hello")]
        )
    async with database.reading() as session:
        assert await imports.found(session, "default", "wordpress", COMMENT, ["12", "13"]) == {"12": "first"}
        assert await imports.found(session, "default", "wordpress", ARTICLE, ["12"]) == {"12": "hello"}
        assert await imports.found(session, "default", "disqus", COMMENT, ["12"]) == {}
        assert await imports.found(session, "other", "wordpress", COMMENT, ["12"]) == {}
        assert await imports.found(session, "default", "wordpress", COMMENT, []) == {}
        kept = [row async for row in dump.rows(session, "imported_ids")]
    assert kept == [
        ["default", "wordpress", "article", "12", "hello", None, ""],
        ["default", "wordpress", "comment", "12", "first", None, ""],
    ]
