"""The language of a text, and the languages of each label."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.serving import Classifier
from moderation.dialects.languages import COVERED, Detection, Detector, covers
from tests.conftest import wait_until


@pytest.fixture(scope="module")
def detector() -> Detector:
    found = Detector()
    found.load()
    return found


def test_what_is_covered_is_what_the_shipped_model_was_trained_and_measured_in(classifier: Classifier) -> None:
    card = classifier._loaded().base.folder.card
    measured = {tuple(name.split(" ")) for name in card["metrics"]["languages"]}
    assert {(language, label) for label, languages in COVERED.items() for language in languages} == measured
    trained = " ".join(source["file"] for source in card["sources"])
    for language, _ in measured:
        assert language == "en" or f"{language}_" in trained


@pytest.mark.parametrize(("tag", "is_covered"), [
    ("en", True), ("EN", True), ("en-US", True), ("en_GB", True), ("en-Latn-US", True), ("de-AT", True), ("zh-Hans-CN", True),
    ("zh", True), ("ko-KR", True), ("zh-Latn", False), ("hi-Latn", False), ("en-Cyrl", False), ("fr", False), ("xx", False),
    ("", False), ("e", False), ("english", False), ("en-", False), ("en US", False), ("eng", False), ("en\n", False),
])  # fmt: skip
def test_a_tag_is_read_by_its_language_and_script(tag: str, is_covered: bool) -> None:
    assert covers("toxicity", tag) is is_covered


def test_each_label_has_its_own_languages() -> None:
    assert covers("toxicity", "de") and covers("insult", "de") and not covers("threat", "de")
    assert covers("identity_attack", "ko") and not covers("insult", "ko")


@pytest.mark.parametrize(("text", "language"), [
    ("What a lovely garden, thank you for the pictures.", "en"),
    ("Das ist doch alles völliger Unsinn, was du hier schreibst.", "de"),
    ("C'est une très mauvaise idée, je ne suis pas du tout d'accord.", "fr"),
    ("Me parece una idea muy mala, no estoy de acuerdo con nada.", "es"),
    ("这个花园真漂亮", "zh"), ("정원이 정말 아름답네요", "ko"), ("とても素敵な庭ですね", "ja"),
    ("Это очень плохая идея, я совсем не согласен.", "ru"), ("هذه فكرة سيئة جدا ولا أوافق عليها", "ar"),
    ("ok", "en"), ("lol", "en"), ("👍🏽", "en"), ("!!!", "en"), ("12345", "en"), ("", "en"), (" \n", "en"),
    ("https://beispiel.example/das-ist-ein-langer-deutscher-satz @benutzer_mit_namen", "en"),
    ("¯\\_(ツ)_/¯", "en"), ("ಠ_ಠ", "en"), ("𝐲𝐨𝐮 𝐚𝐫𝐞 𝐚 𝐬𝐭𝐮𝐩𝐢𝐝 𝐢𝐝𝐢𝐨𝐭 𝐚𝐧𝐝 𝐞𝐯𝐞𝐫𝐲𝐛𝐨𝐝𝐲 𝐤𝐧𝐨𝐰𝐬 𝐢𝐭", "en"),
])  # fmt: skip
def test_the_language_of_a_text(detector: Detector, text: str, language: str) -> None:
    assert detector.detect(text).language == language


@pytest.mark.parametrize(("text", "is_readable"), [
    ("Это очень плохая идея", False), ("สวนสวยมาก ขอบคุณ", False), ("とても素敵な庭ですね", False), ("αυτό είναι κακό", False),
    ("fuсk you", True),  # one Cyrillic letter among Latin ones
    ("Да", True),  # too short to be plain
    ("👍🏽", True), ("这个花园真漂亮", True), ("¿Qué?", True),
])  # fmt: skip
def test_some_scripts_no_model_reads(detector: Detector, text: str, is_readable: bool) -> None:
    assert detector.detect(text).is_readable is is_readable


def test_before_the_model_is_loaded_the_script_decides() -> None:
    detector = Detector()
    assert not detector.is_loading
    for text, detection in (
        ("정원이 정말 아름답네요", Detection("ko")), ("Das ist doch alles Unsinn.", Detection("en")), ("👍", Detection("en")),
        ("Это очень плохая идея", Detection("en", is_readable=False)),
    ):  # fmt: skip
        assert detector.detect(text) == detection
    detector.start()
    detector.start()
    wait_until(lambda: not detector.is_loading, "the model")
    assert detector.detect("Das ist doch alles völliger Unsinn, was du da schreibst.").language == "de"


def test_a_model_that_cannot_be_loaded_is_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise OSError("no such file")

    monkeypatch.setattr("moderation.dialects.languages.identifier", broken)
    detector = Detector()
    detector.start()
    wait_until(lambda: not detector.is_loading, "the attempt")
    assert "no language is detected but by script" in caplog.text
    assert detector.detect("What a lovely garden") == Detection("en")


@given(text=st.text(max_size=300))
def test_any_text_has_a_language(detector: Detector, text: str) -> None:
    assert isinstance(detector.detect(text), Detection)


@pytest.mark.parametrize("unit", ["a", "\u0301", "你", "\ud800", "\U0001d41a", "ع", "http://", "@"])
def test_a_long_text_is_read_in_part(detector: Detector, unit: str) -> None:
    assert detector.detect(unit * 20_000) == detector.detect(unit * 2_000)
