"""The context of an error: stage, endpoint, provider, whose side it is."""

from __future__ import annotations

import re
from typing import Final, Literal

from smtp_wizard.engine.base.shown import Shown, phrase
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.patterns import SearchedText
from smtp_wizard.engine.explain.evidence import AttemptOutcome, Delivery, Party
from smtp_wizard.engine.explain.wordings import SignSeen
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom

AFTER: Final = "after"
"""The stage of what comes back later, as a bounce."""
StageOrAfter = Stage | Literal["after"]

AFTERWARDS = frozenset({Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.DATA})
_RETURNED = frozenset({AttemptOutcome.FAILED, AttemptOutcome.DELAYED})
_RECEIVING = re.compile(r"[-_ ]mx$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorContext:
    """All that is known beside what went wrong."""

    text: str
    """The plain text that decides, with its lines."""
    sought: SearchedText
    """The same on one line, since whatever wrapped it knew nothing of sentences."""
    stage: StageOrAfter | None
    told_stage: bool
    """The stage was told by whoever reports it, not read from the text."""
    told: Hints
    hints: Hints
    provider: str | None
    speaker: Party | None
    on_known_server: bool
    """The server is one of those that a provider has."""
    seen: SignSeen | None
    """What happened, where a program or a system says so."""
    delivery: Delivery | None
    """What became of the message, where the text says so."""
    bounced: bool
    """The text is mail that came back."""
    sent_by: str | None
    """The provider whose server tried to hand the message on, where a letter says so."""
    certain: bool
    """What decides is known to be a reply, by how it stands in a session, a report or a log."""
    answered: bool
    """The server said something, so it is not one that keeps silent."""
    accepted: bool
    by_server: bool = False
    """A mail server tells of its own session with another."""
    happened: Fault | None = None
    """What went wrong, where the course of a session says it."""
    lacking: str = ""
    now_and_then: bool = False
    """Somebody says that the same thing works at other times."""
    token_without_user: bool = False
    """Somebody tells of an access token that belongs to an application, and to nobody."""
    gave_up: bool = False
    """The program ended the session before it signed in, though nothing was refused."""
    unsigned: bool = False
    """The program began the message without having signed in."""

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that it may have been in, by what was told alone."""
        if self.stage is None:
            return frozenset(Stage)
        return AFTERWARDS if self.stage == AFTER else frozenset({Stage(self.stage)})

    @property
    def returned(self) -> Delivery | None:
        """The message that came back, or that a server behind one's own refused; None where that is not so."""
        delivery = self.delivery
        if delivery is None or delivery.outcome not in _RETURNED or delivery.speaker is Party.OWN:
            return None
        return delivery if self.bounced or delivery.speaker is not None else None

    def symptom(self, fault: Fault, stages: frozenset[Stage], facts: dict[str, Shown] | None = None) -> Symptom:
        """Return the symptom of a fault in this context. `facts` are added to those of the context."""
        known = {**self._facts(), **(facts or {})}
        first = next(stage for stage in Stage if stage in stages)
        return Symptom(stage=first, fault=fault, stages=stages, hints=self.hints, provider=self.provider, facts=known)

    def _facts(self) -> dict[str, Shown]:
        server = self.by_server or self.delivery is not None
        facts: dict[str, Shown] = {"pasted": phrase("server" if server else "program")}
        if self.speaker is Party.RECIPIENT:
            facts["side"] = phrase("receiving")
        elif self.speaker is Party.FORWARDER:
            facts["side"] = phrase("forwarder")
        if self.told_stage and self.stage != AFTER:
            facts["stage_is"] = phrase("told")
        if self.on_known_server:
            facts["host_of"] = phrase("provider")
        if (delivery := self.returned) is not None:
            facts["returned"] = phrase("delayed" if delivery.outcome is AttemptOutcome.DELAYED else "failed")
            if self.sent_by is not None:
                facts["sent_by"] = phrase("provider")
        if self.delivery is not None and not self.bounced and self.speaker is Party.OWN:
            facts["log"] = phrase("own")
        if self.unsigned:
            facts["sign_in"] = phrase("none")
        if self.now_and_then:
            facts["happens"] = phrase("sometimes")
        if self.token_without_user:
            facts["token"] = phrase("no-user")
        if self.accepted:
            facts["reading"] = phrase("accepted")
        return facts


def is_receiving(provider: str) -> bool:
    """Whether a provider is named as the receiving side: 'gmail-mx'."""
    return _RECEIVING.search(provider) is not None
