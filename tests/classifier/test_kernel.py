"""What is compiled says what numpy says, for any text; and where it cannot be had, numpy says it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import kernel
from classifier.examples import Asked, Author
from classifier.hashing import BUCKETS, NOTHING, ROWS, SITE_BUCKETS
from classifier.hidden import UNITS, Hidden
from classifier.kernel import Kernel
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Linear, Table
from classifier.serving import Base, open_base
from classifier.training.vocabulary import Cells
from classifier.views import Fold, as_written, normalised
from tests.conftest import missing

PIECES = st.one_of(
    st.sampled_from(
        [
            "you",
            "nitwit",
            "n1tw1t",
            "f.o.o.l",
            "f",
            "o",
            "l",
            "gay",
            "muslim's",
            "women,",
            "don't",
            "--",
            ".",
            "I",
            "a",
            "b",
            "c.",
            "_x",
            "y-",
            "it’s",
            "ｆｕｌｌ",
            "ﷺ",
            "Ⓐ",
            "İstanbul",
            "ΟΔΟΣ",
            "http://a.example/?q=1",
            "[url=x]",
            "\u200b",
            "zero\u200bwidth",
            "br\ue000k",
            "\x01",
            "a\x01b",
            "你好世界",
            "한국어 말",
            "ᄒ",
            "カナ",
            "soooo!!!",
            "@$$",
            "é",
            "🙂",
            "a1!",
            "@@@@x",
            "a--b",
            "a----b",
            ".......",
            "�",
            "s.a.t",
            "f..o..o",
            "f...o...o",
        ]
    ),
    st.text(max_size=12),
    st.text("ab .-_*1@!'\u00a0\n", max_size=12),
    st.text("abz019@$!.-_*'’`~^|+? ", max_size=40),
)
TEXTS = st.lists(
    st.lists(PIECES, max_size=30).flatmap(
        lambda parts: st.sampled_from([" ", "\n", "  ", ". "]).map(lambda gap: gap.join(parts))
    ),
    max_size=6,
)
LONG = ["gay teacher " * 90 + "x", "word " * 2000, "h" * 700, "ﷺ" * 60, "a " * 400, "f.u.c.k " * 3000, "aaa" * 9000]


@pytest.fixture(scope="module")
def base() -> Base:
    return open_base(None)


@pytest.fixture(scope="module")
def table(base: Base) -> Table:
    """A weight of its own in every row, so that one wrong row shows; of the buckets some have the owner that a text asks for."""
    rng = np.random.default_rng(3)
    owners = rng.integers(0, 256, BUCKETS, np.uint8)
    known = [as_written(text) for text in [*LONG, "you nitwit fool 你好世界 한국어 🙂🙂"]]
    for cells in Cells(base.table.hasher).of(known):
        owners[cells[::2] // 256] = cells[::2] % 256
    hasher = base.table.hasher.owned(owners)
    weights = rng.normal(0, 0.3, (ROWS, VIEWS, len(LABELS) + 1)).astype(np.float32)
    weights[..., -1] **= 2
    weights[NOTHING] = 0
    rows = rng.normal(0, 0.1, (ROWS, UNITS)).astype(np.float32)
    rows[BUCKETS:] = 0
    small = (rng.normal(size=shape) for shape in (UNITS, (UNITS, len(LABELS)), len(LABELS)))
    hidden = Hidden.read(Hidden.fitted(rows, *small).arrays())
    return Table(weights.swapaxes(0, 1), rng.normal(size=(VIEWS, len(LABELS))).astype(np.float32), hasher, hidden)


@pytest.fixture(scope="module")
def built() -> ctypes.CDLL:
    found = kernel.library()
    if found is None:
        missing(f"The kernel is not built: {kernel.BUILD}")
    assert found
    return found


@pytest.fixture(scope="module")
def plain(base: Base, table: Table, built: ctypes.CDLL) -> Kernel:
    return Kernel(built, table, base.fold, base.combine)


@pytest.fixture(scope="module")
def correction() -> tuple[Floats, Floats]:
    """Weights and shift of a site."""
    rng = np.random.default_rng(4)
    weights, shift = rng.normal(0, 0.3, (SITE_BUCKETS, len(LABELS))), rng.normal(size=len(LABELS))
    return weights.astype(np.float32), shift.astype(np.float32)


@pytest.fixture(scope="module")
def corrected(base: Base, table: Table, built: ctypes.CDLL, correction: tuple[Floats, Floats]) -> Kernel:
    return Kernel(built, table, base.fold, base.combine, *correction)


def by_numpy(table: Table, fold: Fold, texts: list[str], correction: tuple[Floats, Floats] | None = None) -> Linear:
    views = [as_written(text) for text in texts], [normalised(text, fold) for text in texts]
    if correction is None:
        return table.score(views)
    linear = table.score(views, [correction[0]] * len(texts))
    linear.site[:] += correction[1]
    return linear


@given(texts=TEXTS)
@example(texts=LONG)
@example(
    texts=["x" * 599, "x" * 600, "it's a b", "f o o", "a b", " a  b  c ", "a1", "1a", "12345a", "a!b", "a.b.c"],
)
@settings(max_examples=200, deadline=None)
def test_the_kernel_says_what_numpy_says(
    base: Base, table: Table, plain: Kernel, corrected: Kernel, correction: tuple[Floats, Floats], texts: list[str]
) -> None:
    shape = base.structure.rows(texts, [Author()] * len(texts))
    if not texts:
        assert plain.log_odds([], shape).shape == (0, len(LABELS))
        return
    for compiled, of_site in ((plain, None), (corrected, correction)):
        fast, slow = compiled.linear(texts), by_numpy(table, base.fold, texts, of_site)
        assert fast.whole == pytest.approx(slow.whole, abs=5e-5, rel=5e-6)
        assert fast.window_excess == pytest.approx(slow.window_excess, abs=1e-4, rel=5e-6)
        assert fast.hidden == pytest.approx(slow.hidden, abs=5e-4, rel=5e-6)  # numpy sums in float32
        assert fast.site == pytest.approx(slow.site, abs=5e-4, rel=5e-6)
        assert of_site or not fast.site.any()
        expected = base.combine.log_odds(slow, shape)
        assert compiled.log_odds(texts, shape) == pytest.approx(expected, abs=1e-3, rel=1e-5)


def test_a_text_of_a_megabyte_costs_no_more_than_what_is_read_of_it(plain: Kernel) -> None:
    long = "you n1twit, " * 90_000
    assert plain.linear([long]).whole == pytest.approx(plain.linear([long[:20_000]]).whole)


def test_threads_do_not_meet(plain: Kernel) -> None:
    alone = [plain.linear([text]).whole for text in LONG]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            assert all(map(np.array_equal, threads.map(lambda text: plain.linear([text]).whole, LONG), alone))


def test_folding_leaves_no_white_space_but_the_space(base: Base) -> None:
    """The kernel knows no other."""
    fold = Fold(base.fold.confusables)
    points = [*range(0x3100), *(point for point in range(0x3100, 0x110000) if unicodedata.decomposition(chr(point)))]
    assert not [point for point in points if any(c.isspace() and c != " " for c in fold[point])]


# --- where it cannot be had --------------------------------------------------------------------------------------------


def test_a_base_without_it_says_the_same(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Asked(text, Author("Ann 7", "http://x.example")) for text in [*LONG, "you n1twit", ""]]
    assert base.kernel, "this test compares the two"
    built = base.log_odds(asked)
    monkeypatch.setattr(base, "kernel", None)
    assert base.log_odds(asked) == pytest.approx(built, abs=2e-4)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The sources in a folder of their own, nothing built."""
    shutil.copy(kernel.SOURCE, tmp_path)
    monkeypatch.setattr(kernel, "SOURCE", tmp_path / kernel.SOURCE.name)
    monkeypatch.setattr(kernel, "LIBRARY", tmp_path / kernel.LIBRARY.name)
    kernel.library.cache_clear()
    yield tmp_path
    kernel.library.cache_clear()


def test_what_is_not_built_or_from_other_sources_is_not_used(elsewhere: Path) -> None:
    assert kernel.library() is None
    kernel.build()
    kernel.library.cache_clear()
    assert kernel.library() is not None
    with kernel.SOURCE.open("a") as source:
        source.write("/* another */\n")
    kernel.library.cache_clear()
    assert kernel.library() is None
    kernel.LIBRARY.unlink()  # not written over: it is loaded
    kernel.LIBRARY.write_bytes(b"no library at all")
    kernel.library.cache_clear()
    assert kernel.library() is None


def test_without_a_compiler_it_says_what_that_means(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert kernel.main() == 1
    said = capsys.readouterr().err
    assert "no-such-compiler" in said and "numpy" in said
    assert sorted(path.name for path in elsewhere.iterdir()) == [kernel.SOURCE.name]


def test_its_command_builds_it(elsewhere: Path) -> None:
    (elsewhere / "classifier").symlink_to(Path(kernel.__file__).parent)  # the command as `make` gives it
    done = subprocess.run(
        [sys.executable, "-m", "classifier.kernel"], cwd=elsewhere, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Built" in done.stdout
