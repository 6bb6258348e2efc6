"""The filters of a list of comments as one document: what an address, a form and a saved filter hold, and how they are said."""

from __future__ import annotations

from collections.abc import Mapping

from moderation.queue.store_assignments import ME, NOBODY

NAMES = ("status", "site", "article", "label", "rule", "author", "q", "assigned", "snoozed", "sample", "order")
STATUS_WORDS = {
    "pending": "Pending",
    "approved": "Approved",
    "spam": "Spam",
    "rejected": "Rejected",
    "deleted": "Deleted",
    "any": "Every status",
}
ORDER_WORDS = {
    "newest": "newest first",
    "uncertain": "most uncertain first",
    "worst": "worst first",
    "useful": "most useful first",
}


def canonical(asked: Mapping[str, str]) -> dict[str, str]:
    """The filters that narrow or order, and the status: of two lists that show the same, the same document."""
    kept = {name: value for name in NAMES if (value := asked.get(name) or "")}
    if kept.get("order") == "oldest":
        del kept["order"]
    return {"status": "pending"} | kept


def is_worth_a_tab(asked: Mapping[str, str]) -> bool:
    """Whether it is more than a status, the snoozed comments, or a moderator's own: these are tabs already."""
    more = canonical(asked).keys() - {"status"}
    return bool(more) and more not in ({"snoozed"}, {"snoozed", "assigned"}, {"site"})


def said(asked: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The filters in words. names: moderator's id or site's key → what it is called."""
    asked = canonical(asked)
    status = asked["status"]
    parts = [STATUS_WORDS.get(status) or " or ".join(STATUS_WORDS.get(one, one) for one in status.split(","))]
    if asked.get("snoozed") == "only":
        parts = ["Snoozed"]
    if site := asked.get("site"):
        parts.append(names.get(site, site))
    if article := asked.get("article"):
        parts.append(f"article {article}")
    parts += [asked[name].replace("_", " ").replace("-", " ") for name in ("label", "rule") if name in asked]
    if "author" in asked:
        parts.append("one author")
    if words := asked.get("q"):
        parts.append(f"“{words}”")
    if assigned := asked.get("assigned"):
        parts.append(
            {ME: "assigned to me", NOBODY: "assigned to nobody"}.get(assigned)
            or f"of {names.get(assigned, 'a member')}"
        )
    if "sample" in asked:
        parts.append("audit sample")
    if order := ORDER_WORDS.get(asked.get("order", "")):
        parts.append(order)
    return " · ".join(parts)
