"""Guides as JSON: `guide`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class GuideStepJson:
    """One step."""

    number: Whole
    text: str
    urls: tuple[str, ...]
    proves: Stage | None
    then: str | None

    @classmethod
    def of(cls, step: GuideStep) -> GuideStepJson:
        """Return a step as it is printed."""
        return cls(step.number, step.text, step.urls, step.proves, step.then or None)


@dataclass(frozen=True, slots=True)
class GuideSourceJson:
    """What a guide rests on."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class GuideJson:
    """One guide."""

    id: str
    title: str
    paths: tuple[str, ...]
    checked: str
    minutes: Whole | None
    retired: str | None
    leads_to: str | None
    intro: tuple[str, ...]
    steps: tuple[GuideStepJson, ...]
    outro: tuple[str, ...]
    sources: tuple[GuideSourceJson, ...]

    @classmethod
    def of(cls, guide: Guide) -> GuideJson:
        """Return a guide as it is printed."""
        return cls(
            id=guide.id,
            title=guide.title,
            paths=guide.paths,
            checked=guide.checked,
            minutes=guide.minutes,
            retired=guide.retired or None,
            leads_to=guide.leads_to,
            intro=guide.intro,
            steps=tuple(map(GuideStepJson.of, guide.steps)),
            outro=guide.outro,
            sources=tuple(GuideSourceJson(title, url or None) for title, url in guide.sources),
        )


@dataclass(frozen=True, slots=True)
class GuidesListed(JsonDocument):
    """`guide`."""

    NAME: ClassVar = "guide"
    guides: tuple[GuideJson, ...]
