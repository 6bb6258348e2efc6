"""Commands for Coral's secrets, and for thresholds that come over from another service."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from moderation.cli import CliContext, OneSite, err, known_site, out
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.db.database import Session
from moderation.dialects import coral_secrets
from moderation.team import access, store_scales
from moderation.team import store as team

if TYPE_CHECKING:
    from moderation.dialects.calibration import Calibration, Pair

LogFile = Annotated[Path, Argument(metavar="LOG", help="JSON lines (docs/thresholds.md), or a recording")]
TOGETHER = 64
"""Texts scored at a time."""


async def add_coral_secret(cli: CliContext, site: OneSite = "default") -> None:
    """Read a signing secret of Coral's from standard input, store it encrypted, and print its id."""
    pasted = sys.stdin.readline(1000)
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site)
        out(await coral_secrets.add(tx, cli.signer, site, pasted, cli.clock()))
    err(f"Coral's callback URL: {cli.settings.base}/coral/{site}")


async def remove_coral_secret(
    cli: CliContext, id: Annotated[str, Argument(metavar="ID")], site: OneSite = "default"
) -> None:
    """Remove a signing secret of Coral's by its id."""
    async with cli.opened() as database, database.transaction() as tx:
        await coral_secrets.remove(tx, site, id, cli.clock())
    err("The secret is removed.")


async def calibrate_thresholds(
    cli: CliContext,
    log: LogFile,
    key: Annotated[
        str | None,
        Option("--key", metavar="ID", help="whose scores speak the old scale from then on; none: report only"),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        Option("--attribute", metavar="NAME", help="only this one; repeatable; all of the log if omitted"),
    ] = None,
    at: Annotated[float, Option("--at", metavar="SCORE", help="the old threshold that the report is about")] = 0.8,
    dry_run: Annotated[bool, Option("--dry-run", help="report only")] = False,
) -> None:
    """Carry another service's thresholds over: compare its scores with ours, report, and store the scale of a key."""
    from moderation.dialects import calibration, perspective, threshold_log

    if not 0 < at < 1:
        raise Invalid(FieldError("--at", "invalid", "must be a score between 0 and 1"))
    async with cli.opened() as database:
        async with database.reading() as session:
            token = await token_of(cli, session, key) if key else None
        chosen, unknown = calibration.pairs_of(
            threshold_log.read(log, threshold_log.cipher_of(cli.signer)), attribute or ()
        )
        if not chosen:
            names = ", ".join(perspective.ATTRIBUTES)
            raise Conflict(
                f"The log has no score of an attribute that is answered here ({names}). Nothing was written."
            )
        if unknown:
            err(f"Left out, because no label here answers them: {', '.join(name[:40] for name in unknown[:10])}.")
        site = "default" if token is None or token.site == EVERYWHERE else token.site
        pairs, model = scored(cli, chosen, site)
        results: list[Calibration] = []
        refusals: list[str] = []
        for name, of_one in pairs.items():
            try:
                results.append(calibration.calibrate(name, of_one, at))
            except calibration.Refused as refused:
                refusals.append(str(refused))
        if results:
            out("\n\n".join(calibration.report(one, at) for one in results))
        if refusals:
            more = " The others can be carried over with --attribute." if results else ""
            raise Conflict("\n  ".join(["Nothing was written.", *refusals]) + more)
        if token is None or dry_run:
            err(
                "Nothing was written."
                + ("" if token else " Name the key with --key ID: the six characters in the console.")
            )
            return
        async with database.transaction() as tx:
            for one in results:
                points = list(zip(one.scale.ours, one.scale.theirs, strict=True))
                await store_scales.put(
                    tx,
                    store_scales.KeyScale(
                        site=token.site, token=token.id, attribute=one.attribute, points=points, model=model,
                        pairs=one.pairs, created_at=cli.clock(),
                    ),
                )  # fmt: skip
    err(f"Written for the key {token.id}: its scores of {', '.join(pairs)} speak the old scale now.")


async def forget_thresholds(cli: CliContext, key: Annotated[str, Argument(metavar="ID")]) -> None:
    """End the scales of a key: its scores are our own again."""
    async with cli.opened() as database, database.transaction() as tx:
        if not await store_scales.remove(tx, key):
            raise NotFound("This key has no scale.")
    err("The key's scores are our own again.")


async def record_perspective(
    cli: CliContext,
    upstream: Annotated[str, Argument(metavar="UPSTREAM", help="for example https://commentanalyzer.googleapis.com")],
    to: Annotated[Path, Option("--to", metavar="FILE", help="the recording; it is encrypted")],
    port: Annotated[int, Option("--port", metavar="PORT", min=0, max=65535, help="on 127.0.0.1; 0: any")] = 8010,
    days: Annotated[int, Option("--days", metavar="N", min=1, max=3650, help="what is older is deleted")] = 30,
) -> None:
    """Pass Perspective's calls on to UPSTREAM, and record texts and scores for calibrate-thresholds."""
    import signal

    import uvicorn

    from moderation.core.logs import log_to_stderr
    from moderation.dialects import recorder, threshold_log

    recording = threshold_log.Recording(to, threshold_log.cipher_of(cli.signer), days)
    recording.check()
    proxy = recorder.Recorder(upstream, recording, cli.clock)
    log_to_stderr(cli.settings.log_level, cli.settings.log)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((recorder.HOST, port))
        out(f"http://{recorder.HOST}:{listening.getsockname()[1]}")
        sys.stdout.flush()
        config = uvicorn.Config(proxy.app, log_config=None, access_log=False, proxy_headers=False, server_header=False, date_header=False, ws="none")  # fmt: skip
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: None)  # uvicorn raises the signal again after its end
        await uvicorn.Server(config).serve(sockets=[listening])
    err(
        f"Passed on: {proxy.passed} calls. Recorded: {proxy.recorded}. With doNotStore, or unreadable: {proxy.not_stored}."
    )


async def token_of(cli: CliContext, session: Session, key: str) -> team.Token:
    """The key with this public id, or this key. Raises NotFound."""
    id = key if len(key) <= 6 else access.public_id(cli.signer, key)
    tokens = [
        token for token in await team.api_tokens(session, EVERYWHERE) if token.id == id and token.ended_at is None
    ]
    if not tokens:
        raise NotFound("There is no such key; its id is the six characters that the console shows.")
    return tokens[0]


def scored(
    cli: CliContext, chosen: dict[str, dict[str, tuple[int, float, str]]], site: str
) -> tuple[dict[str, list[Pair]], str]:
    """Each text scored once, by the model that serves the site; and its version."""
    from collections import Counter

    from classifier.examples import Asked
    from classifier.serving import Classifier
    from moderation.dialects import calibration, perspective

    classifier = Classifier(Path(cli.settings.models), cli.settings.reader)  # as the service scores
    classifier.load()
    texts = list(dict.fromkeys(text for of_one in chosen.values() for text in of_one))
    ours, versions = dict[str, dict[str, float]](), Counter[str]()
    for start in range(0, len(texts), TOGETHER):
        part = texts[start : start + TOGETHER]
        for text, one in zip(part, classifier.score([Asked(text, site=site) for text in part]), strict=True):
            ours[text] = one.scores
            versions[one.model] += 1
    pairs = {
        name: [
            calibration.Pair(
                line=line, text=text, theirs=score, ours=ours[text][perspective.ATTRIBUTES[name]], done=done
            )
            for text, (line, score, done) in of_one.items()
        ]
        for name, of_one in sorted(chosen.items())
    }
    return pairs, calibration.model_of(versions)


commands = {
    "add-coral-secret": add_coral_secret,
    "remove-coral-secret": remove_coral_secret,
    "record-perspective": record_perspective,
    "calibrate-thresholds": calibrate_thresholds,
    "forget-thresholds": forget_thresholds,
}
