"""Which texts are most alike, in any script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from classifier.nearest import MOST, Nearest, Vector, stems, vector

# Each pair is about one thing, in one language; written for this test.
PAIRS = [
    ("The heap behind the beans steams on cold mornings. Compost wants air, water and time, and gives soil to the roses.",
     "Dig compost into the soil before you sow beans. A rose bush thanks you for it, and gardeners save on water."),
    ("On the second day a sourdough loaf tastes of grain. Wrap the bread in linen and keep the crust dry.",
     "Feed the starter with flour and water in the evening; in the morning the dough rises and a loaf can be baked."),
    ("The night train leaves at nine. A conductor takes tickets, and the sleeping car smells of coffee and rails.",
     "A timetable tells where trains meet. On a single track each conductor waits for the other at the station."),
    ("茶树长在山坡上，清明前采的嫩叶最好。炒青的时候火不能太大，否则茶叶会有焦味。",
     "泡绿茶水温八十度就够了。好的茶叶在杯子里慢慢舒展，茶汤清亮，有山里的味道。"),
    ("城里的地铁早上八点最挤。换乘站的扶梯常常停运，乘客只好走楼梯去另一条线路。",
     "新开的地铁线路一共有十二站，乘客可以在中心站换乘，早高峰每两分钟一班。"),
    ("Die Wanderung führt über den Grat zur Hütte. Oben gibt es Suppe, und am Gipfel steht ein Kreuz im Wind.",
     "Wer auf den Gipfel will, bricht vor der Dämmerung von der Hütte auf; der Grat ist bei Wind gefährlich."),
    ("ปลาในแม่น้ำมีน้อยลงทุกปี ชาวประมงต้องออกเรือไกลขึ้นเพื่อจับปลา",
     "ชาวประมงในหมู่บ้านซ่อมเรือในฤดูฝน เพราะแม่น้ำเชี่ยวและจับปลาไม่ได้"),
    ("図書館の本は二週間借りられます。返すときは受付に本を渡してください。",
     "新しい図書館の受付では、借りたい本をすぐに探してくれます。"),
]  # fmt: skip


def test_of_a_labelled_set_the_nearest_is_the_one_about_the_same() -> None:
    texts = [text for pair in PAIRS for text in pair]
    vectors = [vector(text) for text in texts]
    all_ = Nearest(vectors)
    for at, one in enumerate(vectors):
        similarity = all_.similarity(one)
        assert similarity.argmax() == at and similarity[at] == pytest.approx(1)
        similarity[at] = -1
        assert similarity.argmax() == at ^ 1, texts[at]


def test_words_count_by_their_beginnings_and_case_width_and_punctuation_not_at_all() -> None:
    assert stems("Garden's GARDENS, gardening!") == ["garde", "garde", "garde"]
    assert stems("bean beans") == ["bean", "bean"]
    assert stems("Ｔｅａ — tea…") == ["tea", "tea"]
    assert stems("हिन्दी") == ["हिन्द"], "a combining mark stays with its letter"
    assert stems("a I x 7") == []


def test_where_no_space_parts_the_words_pairs_of_characters_stand_for_them() -> None:
    assert stems("你好世界") == ["你好", "好世", "世界", "你", "好", "世", "界"]
    assert stems("茶") == ["茶"]
    assert stems("vim编辑器") == ["vim", "编辑", "辑器", "编", "辑", "器"]
    assert stems("한국어는")[:2] == stems("한국어를")[:2]


def test_a_title_counts_more_than_the_text() -> None:
    pots, pans = vector("The kitchen.", title="Pots"), vector("The kitchen.", title="Pans")
    asked = vector("Pots, pots and other things for a kitchen")
    similarity = Nearest([pots, pans, vector("Something else entirely")]).similarity(asked)
    assert similarity[0] > similarity[1] > similarity[2] == 0


def test_what_every_text_has_tells_nothing() -> None:
    vectors = [vector(f"the and of with {word}") for word in ("apple", "pear", "plum")]
    similarity = Nearest(vectors).similarity(vectors[0])
    assert similarity[0] == pytest.approx(1) and similarity[1] == similarity[2] == 0


def test_nothing_is_like_nothing() -> None:
    assert list(Nearest([]).similarity(vector("a word"))) == []
    assert list(Nearest([vector(""), vector("some words")]).similarity(vector(""))) == [0, 0]


@effort(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=[])), min_size=1, max_size=6))
def test_any_text_has_a_vector_that_can_be_kept(texts: list[str]) -> None:
    vectors = [vector(text, title=texts[0]) for text in texts]
    for one in vectors:
        again = Vector.unpack(one.pack())
        assert np.array_equal(again.buckets, one.buckets) and np.array_equal(again.counts, one.counts)
        assert len(one.buckets) <= MOST and len(np.unique(one.buckets)) == len(one.buckets)
    similarity = Nearest(vectors).similarity(vectors[0])
    assert np.isfinite(similarity).all() and (similarity >= 0).all() and (similarity <= 1.0001).all()
