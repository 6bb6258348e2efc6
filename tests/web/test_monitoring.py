"""`deploy/monitoring`: what the board and the alert rules ask for is what `/metrics` says. And the two forms of the log."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from moderation.__main__ import COMMANDS
from moderation.core.logs import Lines, Sentences
from tests.conftest import ROOT, Service

FOLDER = ROOT / "deploy" / "monitoring"
BOARD = json.loads((FOLDER / "grafana.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
ASKED = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
OF_PROMETHEUS = {"instance", "job"}
"""Labels that the scrape adds."""


@pytest.mark.anyio
async def test_every_name_and_label_that_is_asked_for_is_one_of_ours(service: Service) -> None:
    await service.post()
    families = list(text_string_to_metric_families((await service.client.get("/metrics")).text))
    ours = {sample.name for family in families for sample in family.samples} | {family.name for family in families}
    labels = {(sample.name, label) for family in families for sample in family.samples for label in sample.labels}
    named = {name for asked in ASKED for name in re.findall(r"\bmoderation_\w+", asked)}
    assert len(named) > 20 and named <= ours | {f"{family.name}_total" for family in families}
    states = {
        sample.labels["state"] for family in families if family.name == "moderation_outbox" for sample in family.samples
    }
    for asked in ASKED:
        for name, within in re.findall(r"(moderation_\w+)\{([^}]*)\}", asked):
            for label, value in re.findall(r'(\w+)=~?"([^"]*)"', within):
                assert label in OF_PROMETHEUS or (name, label) in labels or name == "moderation_refused_total", asked
                assert label != "state" or value in states


def test_an_alert_says_whom_it_wakes_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 10
    commands = {name for names in COMMANDS.values() for name in names}
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".") and rule["annotations"]["remedy"].endswith(".")
        assert set(re.findall(r"python -m moderation ([a-z-]+)", rule["annotations"]["remedy"])) <= commands


def test_the_panels_of_the_board_stand_beside_each_other() -> None:
    taken = set[tuple[int, int]]()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(target["datasource"]["uid"] == "${source}" for panel in PANELS for target in panel["targets"])


def record(message: str, **more: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "moderation.outbox", "levelname": "WARNING", "created": 1_796_129_463.0})
    made.msg = message
    made.__dict__.update(more)
    return made


def test_a_line_of_the_log_for_people() -> None:
    said = Sentences().format(record("a webhook does not answer", id="6fo1", why="Timeout"))
    assert said == "2026-12-01 12:51:03 WARNING moderation.outbox: a webhook does not answer (id=6fo1 why=Timeout)"
    assert json.loads(Lines().format(record("a webhook does not answer", id="6fo1")))["id"] == "6fo1"


@pytest.mark.parametrize("odd", ["two\nlines", "a b=c", ")", "\x1b[31mred", "", "\u2028"])
def test_no_value_makes_a_line_or_an_entry_of_its_own(odd: str) -> None:
    said = Sentences().format(record("not stored", why=odd))
    assert said.isprintable() and said.endswith(f"(why={json.dumps(odd)})")
    assert Sentences().format(record(odd or "nothing")).isprintable()


def test_an_exception_s_place_is_said_and_its_words_are_not() -> None:
    try:
        raise ValueError("ann@example.org wrote this")
    except ValueError as error:
        said = Sentences().format(record("it failed", exc_info=(type(error), error, error.__traceback__)))
    assert "error=ValueError" in said and "test_monitoring" not in said and "ann@" not in said
    assert 'where="' in said or "where=test_" in said
