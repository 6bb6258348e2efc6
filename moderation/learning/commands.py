"""Commands for models: retraining, roll-back, and a model that reads along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from moderation.cli import CliContext, OneSite, Progress, SiteOrAll, known_site, out
from moderation.core.problem import Unavailable
from moderation.settings import SettingsError

Act = Literal["show", "start", "stop", "promote"]


@contextmanager
def usable_models() -> Iterator[None]:
    """Turns the error of an unusable model folder into Unavailable."""
    from classifier.registry import ModelError

    try:
        yield
    except ModelError as error:
        raise Unavailable(str(error)) from error


async def retrain(
    cli: CliContext,
    site: SiteOrAll = None,
    read_along: Annotated[
        bool, Option("--read-along", help="a better model reads along instead of going live")
    ] = False,
    newly_held: Annotated[
        float | None,
        Option(
            "--newly-held",
            metavar="SHARE",
            min=0,
            max=1,
            help="of the published comments that a better model may newly hold; else MODERATION_NEWLY_HELD",
        ),
    ] = None,
) -> None:
    """Train on moderators' decisions; a new model goes live only if it is no worse."""
    from moderation.learning import retrain as learning

    with usable_models():
        async with cli.opened() as database:
            if site:
                async with database.reading() as session:
                    await known_site(session, site)
            models, progress = Path(cli.settings.models), Progress()
            outcome = await learning.retrain(
                database,
                models,
                site,
                cli.clock(),
                read_along=read_along,
                newly_held=cli.settings.newly_held if newly_held is None else newly_held,
                progress=lambda key, done: progress.show(lambda: f"training {key}", done),
            )
            progress.end()
    out(json.dumps(outcome))


async def roll_back(cli: CliContext, site: OneSite = "default") -> None:
    """Return to the previous model."""
    from moderation.learning import retrain as learning

    with usable_models():
        async with cli.opened() as database:
            async with database.reading() as session:
                await known_site(session, site)
            outcome = await learning.roll_back(database, Path(cli.settings.models), site, cli.clock())
    out(json.dumps(outcome))


async def read_along(
    cli: CliContext,
    act: Annotated[Act, Argument(metavar="ACT", help="show, start, stop or promote")] = "show",
    site: OneSite = "default",
    model: Annotated[str | None, Option("--model", metavar="VERSION", help="the model to start")] = None,
) -> None:
    """Show, start, stop or promote a model that reads along beside the serving one."""
    from classifier.serving import Classifier
    from moderation.learning.promote import promote
    from moderation.policy import read_along as reading

    if (act == "start") != bool(model):
        raise SettingsError("--model VERSION goes with `start`, and only with it; `show` lists the versions")
    with usable_models():
        models = Path(cli.settings.models)
        classifier = Classifier(models, cli.settings.reader)
        classifier.load()
        async with cli.opened() as database:
            async with database.reading() as session:
                await known_site(session, site)
            if act == "promote":
                outcome = await promote(database, classifier, models, site, "operator", cli.clock(), True)
                out(json.dumps(outcome))
                return
            if model:
                reading.check_model(classifier, site, model)
                async with database.transaction() as tx:
                    await reading.start(tx, site, model, "operator", cli.clock())
            elif act == "stop":
                async with database.transaction() as tx:
                    await reading.stop(tx, site, "operator", cli.clock())
            report = await reading.report(database, site) | reading.models(classifier, site)
    out(json.dumps(report, ensure_ascii=False, indent=2))


commands = {"retrain": retrain, "roll-back": roll_back, "read-along": read_along}
