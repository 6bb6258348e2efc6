"""Coral's signing secrets: pasted by an operator, stored encrypted, read for each request."""

from __future__ import annotations

from moderation.core.encryption import Cipher
from moderation.core.ids import new_id
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Session
from moderation.dialects import coral
from moderation.team import store_coral
from moderation.team.store_coral import CoralSecret

MOST = 8
"""Secrets of a site: a phase has two while it rotates them."""


def cipher_of(signer: Signer) -> Cipher:
    return Cipher(signer.cipher_key("coral"))


async def add(tx: Session, signer: Signer, site: str, pasted: str, now: int) -> str:
    """Stores a secret that Coral has made; returns its id here. Raises Invalid, or Conflict past MOST."""
    secret = coral.secret_of(pasted)
    if secret is None:
        raise Invalid(
            FieldError("secret", "invalid", "must be the signing secret that Coral shows for the phase, on one line")
        )
    if len(await store_coral.of_site(tx, site)) >= MOST:
        raise Conflict(f"The site has {MOST} secrets of Coral; remove one first: remove-coral-secret --site {site} ID")
    id = new_id(now)
    encrypted = cipher_of(signer).encrypt(secret.encode(), f"{site}/{id}")
    await store_coral.add(tx, CoralSecret(site=site, id=id, encrypted=encrypted, created_at=now))
    await audit.note(tx, site=site, at=now, actor="operator", action="coral-secret:add", subject=id)
    return id


async def remove(tx: Session, site: str, id: str, now: int) -> None:
    """Raises NotFound, with the ids that there are."""
    if not await store_coral.remove(tx, site, id):
        ids = ", ".join(one.id for one in await store_coral.of_site(tx, site)) or "none"
        raise NotFound(f"The site has no secret with this id; its secrets: {ids}")
    await audit.note(tx, site=site, at=now, actor="operator", action="coral-secret:remove", subject=id)


async def of_site(session: Session, cipher: Cipher, site: str) -> list[bytes]:
    """The site's secrets, as far as this secret key reads them."""
    stored = await store_coral.of_site(session, site)
    return [secret for one in stored if (secret := cipher.decrypt(one.encrypted, f"{one.site}/{one.id}")) is not None]
