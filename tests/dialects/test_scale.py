"""Scales: another service's scores from our probabilities, and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.db.database import Database
from moderation.dialects.scale import Scale, carried_over, scales_of, token_id_of
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team import store_scales
from moderation.team.store_scales import KeyScale

unit = st.floats(0, 1, allow_nan=False)
points = st.lists(st.tuples(unit, unit), max_size=12).map(
    lambda pairs: list(zip(sorted(x for x, _ in pairs), sorted(y for _, y in pairs), strict=True))
)


@given(points, st.lists(unit, min_size=2, max_size=20).map(sorted))
def test_a_scale_rises_from_0_to_1(line: list[tuple[float, float]], ours: list[float]) -> None:
    scale = Scale.of(line)
    old = [scale.old(p) for p in ours]
    assert all(0 <= score <= 1 for score in old)
    assert old == sorted(old)
    assert (scale.old(0.0), scale.old(1.0)) == (0.0, 1.0)
    new = [scale.new(p) for p in ours]
    assert all(0 <= p <= 1 for p in new) and new == sorted(new)


@given(points, unit)
def test_our_threshold_of_an_old_one_has_its_score(line: list[tuple[float, float]], score: float) -> None:
    scale = Scale.of(line)
    assert scale.old(scale.new(score)) == pytest.approx(score, abs=1e-6) or steep(scale, score)


def steep(scale: Scale, score: float) -> bool:
    """The line rises so fast there that the next float is another score."""
    p = scale.new(score)
    return scale.old(math.nextafter(p, 0)) <= score + 1e-6 and scale.old(math.nextafter(p, 1)) >= score - 1e-6


def test_a_threshold_is_read_off_the_line() -> None:
    scale = Scale.of([(0.2, 0.5), (0.63, 0.8)])
    assert (scale.new(0.8), scale.old(0.63)) == (0.63, 0.8)
    assert scale.old(0.1) == 0.25 and scale.new(0.9) == pytest.approx(0.815)
    assert Scale.of([]).old(0.3) == 0.3


def test_scores_speak_the_old_scale_where_their_attribute_has_one() -> None:
    scales = {"PROFANITY": Scale.of([(0.5, 0.9)]), "GONE": Scale.of([])}
    scores = {"obscene": 0.5, "toxicity": 0.5}
    assert carried_over(scores, scales, {"PROFANITY": "obscene", "TOXICITY": "toxicity"}) == {
        "obscene": 0.9,
        "toxicity": 0.5,
    }
    assert carried_over(scores, {}, {}) == scores


@pytest.mark.parametrize("p", [math.nan, -1.0, -math.inf, 2.0, math.inf])
def test_what_is_no_probability_is_an_end(p: float) -> None:
    assert Scale.of([(0.5, 0.9)]).old(p) in (0.0, 1.0)


@pytest.mark.parametrize("line", [[(0.5, 0.5), (0.4, 0.6)], [(0.5, 0.5), (0.6, 0.4)], [(-0.1, 0.5)], [(0.5, 1.1)], [(math.nan, 0.5)]])  # fmt: skip
def test_points_that_do_not_rise_are_refused(line: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Scale.of(line)


@pytest.mark.anyio
async def test_a_key_has_a_scale_for_each_attribute_until_it_is_ended(database: Database) -> None:
    line = [(0.0, 0.0), (1 / 3, 0.5), (1.0, 1.0)]
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key="blog", name="Blog"), 1)
        for site, token, attribute in (("blog", "abc123", "TOXICITY"), ("blog", "abc123", "INSULT"), ("*", "other1", "TOXICITY")):  # fmt: skip
            one = KeyScale(site=site, token=token, attribute=attribute, points=line, model="m", pairs=400, created_at=1)
            await store_scales.put(tx, one)
        again = KeyScale(
            site="blog", token="abc123", attribute="INSULT", points=[(0.5, 0.9)], model="m", pairs=300, created_at=2
        )
        await store_scales.put(tx, again)
    async with database.reading() as session:
        scales = await scales_of(session, token_id_of("token:abc123"))
        assert scales.keys() == {"TOXICITY", "INSULT"}
        assert scales["INSULT"].old(0.5) == 0.9 and scales["TOXICITY"].old(1 / 3) == pytest.approx(0.5, abs=1e-5)
        assert (await scales_of(session, "other1")).keys() == {"TOXICITY"}
        assert await scales_of(session, token_id_of("a moderator")) == {}
    async with database.transaction() as tx:
        assert await store_scales.remove(tx, "abc123") == 2
        assert await scales_of(tx, "abc123") == {}
