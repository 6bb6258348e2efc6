"""What is compiled says what numpy says, for any text; and where it cannot be had, numpy says it."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

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
from classifier.structure import NAMES
from classifier.training.vocabulary import Cells
from classifier.views import Fold, as_written, normalised
from tests import builds
from tests.conftest import missing

if TYPE_CHECKING:
    from classifier import _kernel

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
    """A weight of its own in every row, so that one wrong row shows; some buckets belong to an n-gram of the texts."""
    rng = np.random.default_rng(3)
    fingerprints = rng.integers(0, 256, BUCKETS, np.uint8)
    known = [as_written(text) for text in [*LONG, "you nitwit fool 你好世界 한국어 🙂🙂"]]
    for cells in Cells(base.table.hasher).of(known):
        fingerprints[cells[::2] // 256] = cells[::2] % 256
    hasher = base.table.hasher.with_fingerprints(fingerprints)
    weights = rng.normal(0, 0.3, (ROWS, VIEWS, len(LABELS) + 1)).astype(np.float32)
    weights[..., -1] **= 2
    weights[NOTHING] = 0
    rows = rng.normal(0, 0.1, (ROWS, UNITS)).astype(np.float32)
    rows[BUCKETS:] = 0
    small = (rng.normal(size=shape) for shape in (UNITS, (UNITS, len(LABELS)), len(LABELS)))
    hidden = Hidden.read(Hidden.fitted(rows, *small).arrays())
    return Table(weights.swapaxes(0, 1), rng.normal(size=(VIEWS, len(LABELS))).astype(np.float32), hasher, hidden)


@pytest.fixture(scope="module")
def built() -> None:
    if kernel.problem():
        missing(f"{kernel.problem()}: {kernel.BUILD}")


@pytest.fixture(scope="module")
def plain(base: Base, table: Table, built: None) -> Kernel:
    return Kernel(table, base.fold, base.combine)


@pytest.fixture(scope="module")
def correction() -> tuple[Floats, Floats]:
    """Weights and shift of a site."""
    rng = np.random.default_rng(4)
    weights, shift = rng.normal(0, 0.3, (SITE_BUCKETS, len(LABELS))), rng.normal(size=len(LABELS))
    return weights.astype(np.float32), shift.astype(np.float32)


@pytest.fixture(scope="module")
def corrected(base: Base, table: Table, built: None, correction: tuple[Floats, Floats]) -> Kernel:
    return Kernel(table, base.fold, base.combine, *correction)


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


def test_the_constants_of_the_extension_are_those_of_python(built: None) -> None:
    from classifier import _kernel

    assert _kernel.CONSTANTS == kernel.CONSTANTS


@pytest.mark.parametrize(
    ("name", "value"), [("BUCKETS", 1 << 17), ("CHANCE", 0.8000000000000002), ("LIMIT", None), ("NEW", 1)]
)
def test_an_extension_with_other_constants_is_refused_by_their_names(
    tmp_path: Path, name: str, value: float | None
) -> None:
    constants = dict(kernel.CONSTANTS) | ({} if value is None else {name: value})
    if value is None:
        del constants[name]
    assert f"({name})" in kernel.differences(constants, "", tmp_path)
    assert not kernel.differences(dict(kernel.CONSTANTS), "", tmp_path), "an installed package has no sources"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources in a folder of their own, nothing built."""
    return builds.copy_sources(tmp_path_factory.mktemp("elsewhere"))


def problem(folder: Path) -> str:
    """What the package in a folder says of its extension."""
    program = "from classifier import kernel; print(kernel.__file__); print(kernel.problem())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    where, said = done.stdout.splitlines()
    assert Path(where).is_relative_to(folder)
    return said


def test_what_is_not_built_or_from_other_sources_is_not_used(elsewhere: Path) -> None:
    said = builds.build_in_place(elsewhere, compiler="no-such-compiler")
    assert "no-such-compiler" in said and not list(elsewhere.rglob("*.so"))
    assert "the compiled kernel is missing" in problem(elsewhere)
    builds.build_in_place(elsewhere)
    assert problem(elsewhere) == ""
    with (elsewhere / "classifier" / "kernel.c").open("a") as source:
        source.write("/* another */\n")
    assert problem(elsewhere) == "the compiled kernel is of other sources"
    (library,) = (elsewhere / "classifier").glob("_kernel.*.so")
    library.unlink()
    library.write_bytes(b"no library at all")
    assert "the compiled kernel is missing" in problem(elsewhere)


def test_constants_that_python_has_changed_are_refused(elsewhere: Path) -> None:
    header, home = elsewhere / "classifier" / "kernel.h", elsewhere / "classifier" / "linear.py"
    builds.build_in_place(elsewhere)
    home.write_text(home.read_text().replace("CHANCE = 0.8\n", "CHANCE = 0.9\n"))
    assert problem(elsewhere) == "the compiled kernel has other constants (CHANCE)"
    header.write_text(header.read_text().replace("#define CHANCE 0.8\n", "#define CHANCE 0.9\n"))
    builds.build_in_place(elsewhere)
    assert problem(elsewhere) == ""


# --- what it is given ---------------------------------------------------------------------------------------------------


def model(base: Base, **other: object) -> _kernel.Model:
    """The arrays of a base, some of them replaced."""
    from classifier import _kernel

    table, hidden = base.table, base.table.hidden
    arrays = {
        "table": table.both(),
        "fingerprints": table.hasher.bucket_fingerprints,
        "bias": table.bias,
        "terms": table.hasher.identity,
        "correction": None,
        "shift": None,
        "stage": base.combine.weights,
        "stage_bias": base.combine.bias,
        "hidden": hidden.rows,
        "unit_scale": hidden.scale,
        "unit_bias": hidden.bias,
        "unit_out": hidden.out,
        "unit_start": hidden.start,
    }
    assert set(other) <= set(arrays)
    return _kernel.Model(*(arrays | other).values())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["table", "fingerprints", "bias", "correction", "shift", "stage", "stage_bias", "hidden", "unit_out"]
)
def test_an_array_of_another_size_is_refused_by_name(built: None, base: Base, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} has 12 bytes, not \d+"):
        model(base, **{name: np.zeros(3, np.float32)})


def test_arrays_that_are_not_laid_end_to_end_are_refused(built: None, base: Base) -> None:
    with pytest.raises(ValueError, match="contiguous"):
        model(base, table=base.table.weights)
    with pytest.raises(TypeError):
        model(base, table=None)


@pytest.mark.parametrize(
    ("points", "bounds", "shapes"),
    [
        (12, [0, 3], 1),
        (12, [0, 1, 4], 1),
        (12, [1, 2, 3], 1),
        (12, [0, -4, 3], 1),
        (12, [0, 5, 3], 1),
        (11, [0, 1, 2], 1),
        (12, [0, 1, 3], 2),
    ],
)
def test_bounds_that_lie_outside_of_the_texts_are_refused(
    built: None, base: Base, points: int, bounds: list[int], shapes: int
) -> None:
    shape, results = np.zeros((shapes, len(NAMES)), np.float32), np.zeros((1, 6, len(LABELS)), np.float32)
    with pytest.raises(ValueError, match=r"bounds|points|shapes"):
        model(base).score(bytes(points), array("q", bounds), shape, results)
    with pytest.raises(BufferError):
        model(base).score(bytes(12), array("q", [0, 1, 3]), shape, bytes(results.nbytes))
