"""An article is registered: by PUT, by an import, or by what its page said at its first comment."""

from __future__ import annotations

import asyncio

from classifier import nearest
from moderation.site import Article
from moderation.storage import sites, vectors
from moderation.storage.database import Session


async def register(tx: Session, article: Article) -> None:
    """Store it, or its change, together with what it is about."""
    await sites.put_article(tx, article)
    await keep_vector(tx, article)


async def keep_vector(tx: Session, article: Article) -> None:
    vector = await asyncio.to_thread(nearest.vector, article.text, article.title)
    await vectors.keep(tx, article.site, article.key, nearest.VERSION, vector.pack())
