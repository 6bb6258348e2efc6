"""The kept versions of the model by name, and one of them opened beside the serving one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classifier import registry
from classifier.examples import Asked, Scored
from classifier.serving import Classifier, ModelError
from moderation.core.offload import Lane

OF_SINGLE_TEXTS = "false alarms"
"""The metric that names words of single texts, which may be an operator's own."""
OF_CORRECTION = ("base version", "labels", "figures", "before")
"""The parts of a correction's card that are told: numbers, and no text."""
WAITING = 200


class KeptModels:
    """Loads and scores in a thread of its own, so that no comment waits for another version's."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._opened: tuple[str, str, Classifier] | None = None
        """Version, site, and its model: one at a time. Used by the thread only."""
        self._lane = Lane("kept-models", WAITING)

    async def listed(self, site: str) -> list[dict[str, Any]]:
        """The versions that a site's requests may name, oldest first, each with its card. Raises ModelError."""
        return await self._lane.run(self._listed, site)

    async def score(self, asked: Sequence[Asked], site: str, version: str) -> tuple[list[Scored], Mapping[str, float]]:
        """The scores by one version, and its thresholds. Raises ModelError for a version that is not kept."""
        return await self._lane.run(self._score, asked, site, version)

    def _listed(self, site: str) -> list[dict[str, Any]]:
        classifier = self.classifier
        current = classifier.model(site)
        kept = [registry.listed(registry.SHIPPED)]
        if classifier.models is not None:
            kept.append(registry.listed(classifier.models))
        bases = {one.version: one.card for versions in kept for one in versions}
        found = {version: card_of_base(card) for version, card in bases.items()}
        if classifier.models is not None:
            for one in registry.versions(classifier.models, site):
                if one.card.get("base version") == classifier.version:
                    found[f"{classifier.version}+{site}.{one.version}"] = card_of_correction(one.card)
        return [
            {
                "version": version,
                "current": version == current,
                "kind": card.get("kind"),
                "date": card.get("date"),
                "card": card,
            }
            for version, card in sorted(found.items(), key=lambda entry: str(entry[1].get("date", "")))
        ]

    def _score(self, asked: Sequence[Asked], site: str, version: str) -> tuple[list[Scored], Mapping[str, float]]:
        model = self._model(site, version)
        return model.score(asked), model.thresholds

    def _model(self, site: str, version: str) -> Classifier:
        base, _, correction = version.partition("+")
        if correction and base != self.classifier.version:
            raise ModelError("a correction is kept with the base that serves")
        if self._opened is None or self._opened[:2] != (version, site):
            name = correction.removeprefix(f"{site}.") if correction else base
            model = self.classifier.at(name, site if correction else "")
            if model.model(site) != version:
                raise ModelError("that is not the name of a version")
            self._opened = version, site, model
        return self._opened[2]


def card_of_base(card: Mapping[str, Any]) -> dict[str, Any]:
    metrics = card.get("metrics")
    if not isinstance(metrics, dict):
        return dict(card)
    return {**card, "metrics": {name: figures for name, figures in metrics.items() if name != OF_SINGLE_TEXTS}}


def card_of_correction(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: card[name] for name in ("kind", "date", *OF_CORRECTION) if name in card}
