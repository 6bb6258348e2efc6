from __future__ import annotations

from classifier.evaluation import bench as module
from classifier.evaluation.bench import SIZE, bench
from classifier.serving import Base


def test_no_comment_is_timed_twice_nor_after_it_was_read() -> None:
    texts = [f"{n} garden " * 60 for n in range(30)] + ["too short"]
    parts = module._comments(texts, seed=2)
    every = [text for part in parts for text in part]
    assert [len(part) for part in parts] == [10, 10, 11]
    assert len(set(every)) == len(every)
    assert {len(text) for part in parts[:2] for text in part} == {SIZE}


def test_both_sides_are_timed_on_the_same_run(base: Base) -> None:
    found = bench(base, [f"{n} garden bread river {n * 7} " * 20 for n in range(9)])
    assert found["comments"] == 3
    assert all(figure > 0 for figure in found.values())
    assert base.kernel, "what is timed beside it is another base"
