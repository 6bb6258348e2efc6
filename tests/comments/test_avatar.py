from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.comments import avatar
from moderation.core.signing import Signer

SEAL = Signer(b"k" * 32)


def test_spellings_that_look_the_same_share_an_avatar() -> None:
    assert SEAL.avatar("Ａda  Lovelace ") == SEAL.avatar("ADA lovelace")
    assert SEAL.avatar("Straße") == SEAL.avatar("STRASSE")


def test_the_key_matters() -> None:
    assert SEAL.avatar("Ada") != Signer(b"another key of some length").avatar("Ada")
    assert SEAL.avatar("Ada") != SEAL.avatar("Bob")


@given(st.text(st.characters()), st.binary(min_size=16, max_size=200))
def test_any_name_and_any_key_give_sixteen_hexadecimal_digits(name: str, key: bytes) -> None:
    made = Signer(key).avatar(name)
    assert len(made) == 16
    assert set(made) <= set("0123456789abcdef")
    assert made == Signer(key).avatar(name)


@given(st.text(st.characters()))
def test_a_drawing_is_well_formed_symmetric_and_says_nothing_of_its_token(token: str) -> None:
    root = ElementTree.fromstring(avatar.draw(token))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    path = root.find("{http://www.w3.org/2000/svg}path")
    assert path is not None and path.get("d")
    assert avatar.draw(token) == avatar.draw(token)


@pytest.mark.parametrize("name", ["Ada", "<script>alert(1)</script>", "مریم"])
def test_nothing_of_the_name_reaches_the_drawing(name: str) -> None:
    assert name not in avatar.draw(name)


def test_drawings_differ() -> None:
    assert len({avatar.draw(SEAL.avatar(str(n))) for n in range(200)}) > 190
