"""Shadow mode: a candidate model beside the one that decides."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from moderation.cli import known_site, now, opened, out
from moderation.settings import Settings, SettingsError

ACTS = ("show", "start", "stop", "promote")


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Show where a candidate model would differ from the one that decides; start, stop or promote it."""
    from classifier.serving import Classifier
    from moderation.learning import shadow

    if (args.act == "start") != bool(args.model):
        raise SettingsError("--model VERSION goes with `start`, and only with it; `show` lists the versions")
    models = Path(settings.models)
    classifier = Classifier(models)
    classifier.load()
    async with opened(settings) as database:
        async with database.reading() as session:
            await known_site(session, args.site)
        if args.act == "promote":
            told = await shadow.promote(database, classifier, models, args.site, "operator", now(), True)
            out(json.dumps(told))
            return
        if args.act == "start":
            shadow.checked(classifier, args.site, args.model)
            async with database.transaction() as tx:
                await shadow.start(tx, args.site, args.model, "operator", now())
        elif args.act == "stop":
            async with database.transaction() as tx:
                await shadow.stop(tx, args.site, "operator", now())
        told = await shadow.report(database, args.site)
        told |= {"current": classifier.serving(args.site), "models": shadow.candidates(classifier, args.site)}
    out(json.dumps(told, ensure_ascii=False, indent=2))
