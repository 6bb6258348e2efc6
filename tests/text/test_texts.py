"""The texts of forms and mails: each language says everything, in its own plural forms."""

from __future__ import annotations

import re

import pytest

from moderation.intake import texts as forms
from moderation.outbox import texts as mails
from moderation.sites.site_settings import CHOICES
from moderation.text import locales
from moderation.text.words import languages_in

FOLDERS = {"forms": forms.FOLDER, "mails": mails.FOLDER}
ALWAYS_MANY = {"digest.sites"}
"""Said of two or more only."""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def test_forms_and_mails_speak_the_same_languages_as_the_sites_settings() -> None:
    assert set(CHOICES["language"]) == set(languages_in(forms.FOLDER)) == set(languages_in(mails.FOLDER))


@pytest.mark.parametrize("language", CHOICES["language"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_language_says_everything_and_fills_the_same_places(folder: str, language: str) -> None:
    every = languages_in(FOLDERS[folder])
    english, theirs = every["en"], dict(every[language])
    assert theirs.pop("lang") == language
    assert theirs.pop("dir", "ltr") == ("rtl" if language == "ar" else "ltr")
    counted = {key.removesuffix(".other") for key in english if key.endswith(".other")} - {"because", "page.report"}
    assert len(counted) == 2
    expected = {f"{key}.{form}" for key in counted - ALWAYS_MANY for form in locales.plural_categories(language)}
    expected |= {f"{key}.zero" for key in counted if f"{key}.zero" in english}
    said = {key for key in theirs if key.rpartition(".")[0] in counted - ALWAYS_MANY}
    assert said == expected, "its own plural forms, each and no other"
    assert {key for key in theirs if key.rpartition(".")[0] not in counted} == {
        key for key in english if key.rpartition(".")[0] not in counted
    } - {"lang"}
    for key, text in theirs.items():
        of, _, form = key.rpartition(".")
        model = english[f"{of}.other"] if of in counted else english[key]
        of_one_number = len({n for n in range(200) if locales.plural_category(language, n) == form}) < 2
        assert text.strip() and text == text.strip(), key
        assert placeholders(text) == placeholders(model) or (of in counted and of_one_number), key


@pytest.mark.parametrize("language", CHOICES["language"])
def test_nothing_of_english_is_left_in_another_language(language: str) -> None:
    for folder in FOLDERS.values():
        english, theirs = languages_in(folder)["en"], languages_in(folder)[language]
        same = {key for key, text in theirs.items() if text == english.get(key) and len(text) > 12}
        assert language == "en" or not same


@pytest.mark.parametrize("language", CHOICES["language"])
def test_the_note_marks_required_fields_as_the_form_does(language: str) -> None:
    assert languages_in(forms.FOLDER)[language]["note"].count("*") == 1
