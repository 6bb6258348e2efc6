"""The texts of mails about a site, in the site's language."""

from __future__ import annotations

from pathlib import Path

from moderation.sites.model import Site
from moderation.text.words import DEFAULT, Texts, languages_in

FOLDER = Path(__file__).parent / "texts"


def of_language(lang: str) -> Texts:
    """English for a language without texts, as in a site's settings from another version."""
    languages = languages_in(FOLDER)
    return Texts(languages, lang if lang in languages else DEFAULT)


def of_site(site: Site) -> Texts:
    return of_language(site.settings.language)
