"""The commands that use a model: score, explain, list, roll-back."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from classifier import jsonl, registry
from classifier.cli import Models, OwnModels, Site, folder_of, opened, written
from classifier.examples import Asked, Author
from classifier.progress import counted
from classifier.serving import Classifier

BATCH = 256
"""Lines that are scored at once."""


def score(
    input: Annotated[Path | None, Argument(metavar="INPUT", help="JSON lines; else standard input")] = None,
    out: Annotated[Path | None, Option("--out", metavar="FILE", help="instead of standard output")] = None,
    models: Models = None,
    reasons: Annotated[bool, Option("--reasons", help="adds the words that counted")] = False,
) -> None:
    """Score comments: JSON lines in, JSON lines out."""
    classifier = Classifier(models)
    classifier.load()
    with opened(input) as lines, written(out) as file:
        rows = counted(jsonl.asked(lines), "lines")
        while group := list(islice(rows, BATCH)):
            for asked, scored in zip(group, classifier.score(group), strict=True):
                row: dict[str, object] = {"scores": scored.scores, "model": scored.model}
                if reasons:
                    row["reasons"] = [asdict(attribution) for attribution in classifier.explain(asked)]
                file.write(json.dumps(row) + "\n")


def explain(
    input: Annotated[Path | None, Argument(metavar="INPUT", help="the text; else standard input")] = None,
    models: Models = None,
    site: Site = "",
    name: Annotated[str, Option("--name", metavar="NAME", help="the author's name")] = "",
    url: Annotated[str, Option("--url", metavar="URL", help="the author's url")] = "",
    email_domain: Annotated[
        str, Option("--email-domain", metavar="DOMAIN", help="the domain of the author's address")
    ] = "",
    as_json: Annotated[bool, Option("--json")] = False,
) -> None:
    """Explain one text (a file or standard input): each label's score with its words and features."""
    classifier = Classifier(models)
    classifier.load()
    with opened(input) as file:
        text = file.read().decode("utf-8", "surrogateescape")
    asked = Asked(text, Author(name, url, email_domain), site)
    scored = classifier.score([asked])[0]
    attributions = classifier.explain(asked)
    if as_json:
        reasons = [asdict(attribution) for attribution in attributions]
        print(json.dumps({"scores": scored.scores, "model": scored.model, "reasons": reasons}))
        return
    print(f"model {scored.model}")
    for label, p in scored.scores.items():
        print(f"{label:16} {p:.4f}  (held from {classifier.thresholds[label]:.4f})")
        for one in attributions:
            if one.label == label:
                print(f"    {one.weight:+7.3f}  {one.share:6.1%}  {one.feature[:60]!r}  {list(one.spans)}")


def show(models: Models = None, site: Site = "") -> None:
    """List the versions in a model folder, with the current one marked."""
    folder = folder_of(models, site)
    for kept in registry.listed(folder):
        print(f"{'*' if kept.current else ' '} {kept.version}  {kept.card.get('date', '')}")
    if not site and registry.pointer(folder) is None and folder != registry.SHIPPED:
        print(f"* {registry.pointer(registry.SHIPPED)}  shipped")


def roll_back(models: OwnModels, site: Site = "") -> None:
    """Return to the previous version, of one site with --site, else of the base."""
    if site:
        print(registry.roll_back(models, site) or "the base as it is")
    else:
        print(registry.roll_back_base(models) or "the shipped base")


commands = {"score": score, "explain": explain, "list": show, "roll-back": roll_back}
