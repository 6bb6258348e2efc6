"""Members of the team: invite, change, remove. One administrator of all sites with a password always remains."""

from __future__ import annotations

from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Session
from moderation.sites import store as sites
from moderation.sites.model import is_site_key
from moderation.team import access, second_factor
from moderation.team import store as moderators
from moderation.team.model import ROLES, Moderator, Principal
from moderation.team.store import Token
from moderation.text.addresses import checked_email

INVITATION_LIFE = 48 * access.HOUR


async def checked_place(tx: Session, principal: Principal, role: str, site: str) -> None:
    """Raises Invalid, or Forbidden for a role or site that the principal cannot grant."""
    if role not in ROLES:
        raise Invalid(FieldError("role", "invalid", f"must be one of {', '.join(ROLES)}"))
    if site != EVERYWHERE and not (is_site_key(site) and await sites.sites(tx, [site])):
        raise Invalid(FieldError("site", "invalid", "is no site's key"))
    if not principal.administers(site):
        raise Forbidden("Only an administrator of that site, or of all sites, can do this.", code="role")


async def member_of(tx: Session, principal: Principal, id: str) -> Moderator:
    """A moderator whom the principal administers. Raises NotFound for all others."""
    member = next((m for m in await moderators.of_site(tx, principal.site) if m.id == id), None)
    if member is None or not principal.administers(member.site):
        raise NotFound("There is no such moderator here.")
    return member


async def invite(tx: Session, principal: Principal, email: str, role: str, site: str, now: int) -> Moderator:
    """Adds a moderator without a password. Raises Invalid, also for an existing moderator."""
    await checked_place(tx, principal, role, site)
    address = checked_email(email)
    if address and await moderators.by_email(tx, address.casefold()):
        raise Invalid(FieldError("email", "invalid", "already belongs to a moderator"))
    return await access.add_moderator(tx, email, role, site, now, principal.name)


async def invitation(tx: Session, signer: Signer, principal: Principal, moderator: Moderator, now: int) -> str:
    """The id of a new invitation link; earlier links end. Raises Conflict for a moderator with a password.

    The link's token is derived from the id and the secret key, so the mail with it need not be stored.
    """
    if moderator.password_hash is not None:
        raise Conflict("They have a password already.")
    await moderators.end_tokens_of(tx, moderator, now)
    id = new_id(now)
    token = token_of(signer, id)
    link = Token(
        site=moderator.site,
        kind="set-password",
        id=token[-6:],
        moderator=moderator.id,
        scopes=frozenset(),
        expires_at=now + INVITATION_LIFE,
    )
    await moderators.add_token(tx, link, signer.token_hash(token), now)
    await audit.note(
        tx, site=moderator.site, at=now, actor=principal.name, action="moderator:invite", subject=moderator.id
    )
    return id


def token_of(signer: Signer, id: str) -> str:
    return signer.sign("invitation", id)


async def change(tx: Session, principal: Principal, id: str, role: str, site: str, now: int) -> None:
    """Changes role and site. Raises NotFound, Invalid, Forbidden, or Conflict if no administrator would remain."""
    moderator = await member_of(tx, principal, id)
    await checked_place(tx, principal, role, site)
    await moderators.move(tx, moderator, role, site)
    await _still_administered(tx, moderator)
    for where in {moderator.site, site}:
        await audit.note(
            tx, site=where, at=now, actor=principal.name, action="moderator:change", subject=id, role=role, of=site
        )


async def remove(tx: Session, principal: Principal, id: str, now: int) -> None:
    """Removes a moderator with sessions, links and second factor; decisions stay. Raises NotFound, or Conflict as `change`."""
    moderator = await member_of(tx, principal, id)
    await dismiss(tx, moderator, principal.name, now)
    await _still_administered(tx, moderator)


async def digest(tx: Session, moderator: Moderator, wants: bool, now: int) -> None:
    """Subscribes a moderator to the digest, or unsubscribes; idempotent."""
    if await moderators.set_digest(tx, moderator, wants):
        await audit.note(tx, site=moderator.site, at=now, actor=moderator.id, subject=moderator.id,
                         action=f"digest:{'start' if wants else 'stop'}")  # fmt: skip


async def dismiss(tx: Session, moderator: Moderator, actor: str, now: int) -> None:
    """Removes any moderator, for the operator, who can always add another administrator."""
    await second_factor.off(tx, moderator, actor, now)
    await moderators.remove(tx, moderator, now)
    await audit.note(tx, site=moderator.site, at=now, actor=actor, action="moderator:remove", subject=moderator.id)


async def _still_administered(tx: Session, was: Moderator) -> None:
    if was.role == "administrator" and was.site == EVERYWHERE and was.password_hash is not None:
        left = [m for m in await moderators.ready(tx) if m.role == "administrator" and m.site == EVERYWHERE]
        if not left:
            raise Conflict("This is the last administrator of all sites. Make another one first.", code="last")
