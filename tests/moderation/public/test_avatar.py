from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.public import avatar

KEY = b"k" * 32


def test_spellings_that_look_the_same_share_an_avatar() -> None:
    assert avatar.token("Ａda  Lovelace ", KEY) == avatar.token("ADA lovelace", KEY)
    assert avatar.token("Straße", KEY) == avatar.token("STRASSE", KEY)


def test_the_key_matters() -> None:
    assert avatar.token("Ada", KEY) != avatar.token("Ada", b"other")
    assert avatar.token("Ada", KEY) != avatar.token("Bob", KEY)


@given(st.text(st.characters()), st.binary(max_size=200))
def test_any_name_and_any_key_give_sixteen_hexadecimal_digits(name: str, key: bytes) -> None:
    made = avatar.token(name, key)
    assert len(made) == 16
    assert set(made) <= set("0123456789abcdef")
    assert made == avatar.token(name, key)


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
    assert len({avatar.draw(avatar.token(str(n), KEY)) for n in range(200)}) > 190
