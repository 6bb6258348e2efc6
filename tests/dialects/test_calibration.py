"""Thresholds carried over: the line that a record carries, and the records that carry none."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema_rs  # comes with schemathesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.examples import Asked
from classifier.serving import Classifier
from moderation.cli import CliContext
from moderation.core.encryption import Cipher
from moderation.core.problem import Conflict, Invalid, NotFound, Problem
from moderation.core.signing import Signer
from moderation.dialects import calibration, commands, threshold_log
from moderation.dialects.calibration import Pair, Refused, calibrate
from moderation.dialects.scale import scales_of
from moderation.dialects.threshold_log import Entry, Recording
from moderation.team import access
from tests.conftest import ROOT, Service

CIPHER = Cipher(b"k" * 32)
NOW = 1_800_000_000_000


def pairs(n: int = 1000, *, noise: float = 0.3, seed: int = 1) -> list[Pair]:
    """Old scores are the roots of ours, with noise on the logit scale: .80 is our .64."""
    rng = np.random.default_rng(seed)
    ours = rng.beta(0.5, 1.5, n)
    root = np.clip(np.sqrt(ours), 1e-6, 1 - 1e-6)
    theirs = 1 / (1 + np.exp(-(np.log(root / (1 - root)) + rng.normal(0, noise, n))))
    return [
        Pair(line=i + 1, text=f"text {i}", theirs=float(t), ours=float(o), done="removed" if t > 0.9 else "published")
        for i, (t, o) in enumerate(zip(theirs, ours, strict=True))
    ]


def test_a_known_line_is_found_within_its_interval() -> None:
    one = calibrate("TOXICITY", pairs(), 0.8)
    row = next(row for row in one.thresholds if row.old == 0.8)
    assert row.new.low <= 0.64 <= row.new.high and row.new.high - row.new.low < 0.15
    assert row.agreement.low <= row.agreement.value <= row.agreement.high and row.agreement.value > 0.95
    assert abs(row.flagged_now - row.flagged_before) < 0.02  # the share that is flagged stays
    assert one.correlation.low > 0.9


def test_without_noise_nearly_every_call_agrees() -> None:
    one = calibrate("TOXICITY", pairs(noise=0), 0.8)
    assert all(row.agreement.value > 0.995 for row in one.thresholds)
    assert [one.scale.old(p) for p in (0.04, 0.25, 0.64, 0.81)] == pytest.approx([0.2, 0.5, 0.8, 0.9], abs=0.02)


def test_with_much_noise_the_share_that_is_flagged_stays() -> None:
    """The mean old score at each probability would reach .80 almost nowhere."""
    one = calibrate("TOXICITY", pairs(3000, noise=1.5), 0.8)
    row = next(row for row in one.thresholds if row.old == 0.8)
    assert 0.9 < row.flagged_now / row.flagged_before < 1.1


def test_the_report_says_it_in_words() -> None:
    one = calibrate("TOXICITY", pairs(), 0.8)
    report = calibration.report(one, 0.8)
    row = next(row for row in one.thresholds if row.old == 0.8)
    assert f"Your .80 is our {row.new.value:.2f}".replace(" 0.", " .") in report
    assert f"{100 * row.agreement.value:.1f} % of the calls agree" in report
    assert "were removed" in report and "clearest disagreements at .80" in report
    assert len(one.disagreements) <= calibration.SHOWN
    gaps = [abs(pair.theirs - pair.ours**0.5) for pair in one.disagreements]
    assert gaps[0] > gaps[-1]


def test_two_runs_say_the_same() -> None:
    assert calibration.report(calibrate("T", pairs(), 0.8), 0.8) == calibration.report(
        calibrate("T", pairs(), 0.8), 0.8
    )


@pytest.mark.parametrize(
    ("given_pairs", "says"),
    [
        (pairs(299), "299 different texts are too few"),
        ([Pair(line=i, text=str(i), theirs=0.5, ours=i / 400) for i in range(400)], "old scores have no spread"),
        ([Pair(line=i, text=str(i), theirs=i / 400, ours=0.01) for i in range(400)], "scores here have no spread"),
        ([Pair(line=i, text=str(i), theirs=i / 400, ours=(i * 7919 % 400) / 400) for i in range(400)], "do not rise"),
        ([Pair(line=i, text=str(i), theirs=i / 400, ours=1 - i / 400) for i in range(400)], "do not rise"),
    ],
)
def test_a_record_that_carries_no_line_is_refused_in_words(given_pairs: list[Pair], says: str) -> None:
    with pytest.raises(Refused, match=says):
        calibrate("TOXICITY", given_pairs, 0.8)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0.1, 0.5, 1]), st.floats(0, 1)), min_size=300, max_size=320),
    st.floats(0.01, 0.99),
)
def test_any_scores_are_refused_or_give_a_line_that_rises(scores: list[tuple[float, float]], at: float) -> None:
    given_pairs = [Pair(line=i, text=str(i), theirs=a, ours=b) for i, (a, b) in enumerate(scores)]
    try:
        one = calibrate("TOXICITY", given_pairs, at)
    except Refused:
        return
    assert list(one.scale.theirs) == sorted(one.scale.theirs)
    assert calibration.report(one, at)


@given(st.text(max_size=600))
def test_an_excerpt_is_one_line_that_no_terminal_obeys(text: str) -> None:
    line = calibration.excerpt(text)
    assert len(line) <= 100 and line.isprintable()


# --- logs --------------------------------------------------------------------------------------------------------------


def written(folder: Path, *lines: Any) -> Path:
    file = folder / "log.jsonl"
    file.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return file


def test_a_log_is_read_in_both_forms(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"text": "a", "attribute": "TOXICITY", "score": 0.5, "done": "removed"},
        b"",
        {"text": "b", "scores": {"TOXICITY": 1, "INSULT": 0}, "more": "is ignored"},
    )
    assert list(threshold_log.read(file, CIPHER)) == [
        (1, Entry(text="a", scores={"TOXICITY": 0.5}, done="removed")),
        (3, Entry(text="b", scores={"TOXICITY": 1.0, "INSULT": 0.0})),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "line 2 is not JSON"),
        (b"[" * 50_000, "line 2 is not JSON"),
        (b"[1]", "line 2 is not a JSON object"),
        (b'"\xff"', "not UTF-8"),
        ({"attribute": "TOXICITY", "score": 1}, "line 2 has no text"),
        ({"text": " ", "attribute": "TOXICITY", "score": 1}, "line 2 has no text"),
        ({"text": "quagswag"}, "line 2 needs attribute and score"),
        ({"text": "quagswag", "attribute": "TOXICITY", "score": 1.5}, "line 2 needs"),
        ({"text": "quagswag", "attribute": "TOXICITY", "score": True}, "line 2 needs"),
        ({"text": "quagswag", "attribute": "TOXICITY", "score": "0.5"}, "line 2 needs"),
        (b'{"text": "quagswag", "attribute": "TOXICITY", "score": NaN}', "line 2 needs"),
        ({"text": "quagswag", "scores": {}}, "line 2 needs"),
        ({"text": "quagswag", "scores": [0.5]}, "line 2 needs"),
        ({"text": "quagswag", "attribute": ["x"], "score": 0.5, "done": "eaten"}, "line 2 has in done"),
        ({"recorded": 1, "encrypted": "AAAA"}, "line 2 was encrypted under another secret key"),
        ({"recorded": 1, "encrypted": ["x"]}, "line 2 was encrypted"),
        (b'{"text": "' + b"x" * threshold_log.LINE_LONGEST + b'"}', "longer than"),
    ],
)
def test_a_wrong_line_is_named_without_its_text(tmp_path: Path, line: Any, says: str) -> None:
    file = written(tmp_path, {"text": "a", "attribute": "TOXICITY", "score": 0.5}, line)
    with pytest.raises(threshold_log.Unreadable, match=says) as raised:
        list(threshold_log.read(file, CIPHER))
    assert "quagswag" not in str(raised.value)


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.mktemp("log") / "log"
    file.write_bytes(raw)
    with suppress(Problem):
        list(threshold_log.read(file, CIPHER))


def test_the_log_s_schema_takes_what_is_read_and_no_other(tmp_path: Path) -> None:
    schema = json.loads((ROOT / "docs" / "threshold-log.schema.json").read_text())
    validator = jsonschema_rs.Draft202012Validator(schema)
    for line in (
        {"text": "a", "attribute": "TOXICITY", "score": 0.5},
        {"text": "a", "attribute": "TOXICITY", "score": 1, "done": "removed"},
        {"text": "a", "scores": {"TOXICITY": 0}, "note": "ignored"},
        {"text": "a"},
        {"text": "", "attribute": "TOXICITY", "score": 0.5},
        {"text": "a", "attribute": "TOXICITY", "score": 2},
        {"text": "a", "attribute": "TOXICITY", "score": True},
        {"text": "a", "attribute": "TOXICITY"},
        {"text": "a", "scores": {}},
        {"text": "a", "scores": {"TOXICITY": 0.5}, "done": "eaten"},
    ):
        try:
            list(threshold_log.read(written(tmp_path, line), CIPHER))
            is_read = True
        except Problem:
            is_read = False
        assert validator.is_valid(line) == is_read, line


def test_a_recording_is_for_its_owner_s_eyes_and_ends_after_its_days(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "rec", CIPHER, 30)
    recording.check()
    day = threshold_log.DAY
    for age, text in ((31, "quagswag the old"), (29, "quagswag the young"), (0, "quagswag \ud800")):
        recording.add(Entry(text=text, scores={"TOXICITY": 0.5}), NOW - age * day)
    assert recording.file.stat().st_mode & 0o777 == 0o600 and b"quagswag" not in recording.file.read_bytes()
    with recording.file.open("a") as lines:
        lines.write('{"recorded": 1')
    recording.check()
    assert recording.purge(NOW) == 2 and recording.purge(NOW) == 0
    assert [entry.text for _, entry in threshold_log.read(recording.file, CIPHER)] == [
        "quagswag the young",
        "quagswag ?",
    ]
    assert recording.file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(threshold_log.Unreadable):
        list(threshold_log.read(recording.file, Cipher(b"o" * 32)))
    moved = recording.file.read_text().replace(str(NOW), str(NOW + 1))
    recording.file.write_text(moved)  # a line cannot be given another time, to keep it longer
    with pytest.raises(threshold_log.Unreadable):
        list(threshold_log.read(recording.file, CIPHER))


def test_a_file_that_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path, {"text": "the operator's own", "attribute": "TOXICITY", "score": 0.5})
    with pytest.raises(Conflict):
        Recording(file, CIPHER, 30).check()


# --- the command -------------------------------------------------------------------------------------------------------

GOOD = ("kind", "green", "late", "warm", "quiet", "early", "sweet", "fresh", "old", "plain")
BAD = ("silly", "foolish", "ugly", "idiotic", "moronic")


def texts() -> list[str]:
    """Four hundred, from harmless to insulting."""
    mild = [f"The {a} beans and the {b} garden, {n} of them." for n, a in enumerate(GOOD) for b in GOOD for _ in (0,)]
    rude = [
        f"You are a {a} {b}, number {n}."
        for n in range(12)
        for a in BAD
        for b in ("fool", "liar", "gardener", "reader", "cook")
    ]
    return list(dict.fromkeys(mild + rude))


def told_by_the_table(service: Service) -> CliContext:
    return CliContext(service.settings.model_copy(update={"reader": False}))


def log_of(folder: Path, classifier: Classifier, **more: Any) -> Path:
    """A record whose old scores are the roots of ours."""
    scored = classifier.score([Asked(text) for text in texts()])
    lines = [
        {"text": text, "scores": {"TOXICITY": one.scores["toxicity"] ** 0.5, "FLIRTATION": 0.1} | more}
        for text, one in zip(texts(), scored, strict=True)
    ]
    return written(folder, *lines)


async def key_of(service: Service) -> str:
    token = (await service.token("score", site="default"))["Authorization"].split()[1]
    return access.public_id(service.services.signer, token)


async def stored(service: Service, key: str) -> dict[str, Any]:
    async with service.services.database.reading() as session:
        return dict(await scales_of(session, key))


@pytest.mark.anyio
async def test_a_record_carries_its_thresholds_over_to_a_key(
    service: Service, classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli, log, key = told_by_the_table(service), log_of(tmp_path, classifier), await key_of(service)
    await commands.calibrate_thresholds(cli, log, key, dry_run=True)
    await commands.calibrate_thresholds(cli, log)
    said = capsys.readouterr()
    assert "Your .80 is our .6" in said.out and "Nothing was written." in said.err and "FLIRTATION" in said.err
    assert await stored(service, key) == {}
    await commands.calibrate_thresholds(cli, log, key)
    scales = await stored(service, key)
    assert scales.keys() == {"TOXICITY"} and scales["TOXICITY"].old(0.64) == pytest.approx(0.8, abs=0.03)
    await commands.forget_thresholds(cli, key)
    assert await stored(service, key) == {}
    with pytest.raises(NotFound):
        await commands.forget_thresholds(cli, key)


@pytest.mark.anyio
async def test_where_one_attribute_carries_no_line_nothing_is_written_and_another_can_be_chosen(
    service: Service, classifier: Classifier, tmp_path: Path
) -> None:
    cli, log, key = told_by_the_table(service), log_of(tmp_path, classifier, THREAT=0.1), await key_of(service)
    with pytest.raises(Conflict, match="THREAT: the old scores have no spread") as raised:
        await commands.calibrate_thresholds(cli, log, key)
    assert "Nothing was written" in str(raised.value) and await stored(service, key) == {}
    await commands.calibrate_thresholds(cli, log, key, ["TOXICITY"])
    assert (await stored(service, key)).keys() == {"TOXICITY"}


@pytest.mark.anyio
async def test_wrong_arguments_are_refused_in_words(service: Service, classifier: Classifier, tmp_path: Path) -> None:
    cli, log = told_by_the_table(service), log_of(tmp_path, classifier)
    for problem, given_arguments in (
        (NotFound, {"key": "nobody"}),
        (Conflict, {"attribute": ["FLIRTATION"]}),
        (Invalid, {"at": 1.5}),
        (NotFound, {"log": tmp_path / "none"}),
    ):
        with pytest.raises(problem):
            await commands.calibrate_thresholds(**({"cli": cli, "log": log} | given_arguments))  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_recording_calibrates_too(service: Service, classifier: Classifier, tmp_path: Path) -> None:
    cli, key = told_by_the_table(service), await key_of(service)
    cipher = threshold_log.cipher_of(Signer(service.settings.secret()))
    recording = Recording(tmp_path / "rec", cipher, 30)
    for _, entry in threshold_log.read(log_of(tmp_path, classifier), cipher):
        recording.add(entry, NOW)
    await commands.calibrate_thresholds(cli, recording.file, key)
    assert (await stored(service, key)).keys() == {"TOXICITY"}
