"""What `send` looks for in mailboxes once the message is sent, and what it found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, shown
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
    from smtp_wizard.engine.services.arrivals import Confirmation, ExplainedBounce, Rehearsal
    from smtp_wizard.output.documents.checks import AuthenticationJson, AwaitedBounceJson


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalSearch:
    """What is looked for, and how long."""

    confirm: bool
    rehearse: bool
    patience: timedelta
    imap: Endpoint | None
    """The IMAP server, where it was named."""

    @property
    def wanted(self) -> bool:
        """Whether anything is."""
        return self.confirm or self.rehearse


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalFound:
    """What was found; nothing, where nothing was looked for."""

    confirmation: Confirmation | None = None
    rehearsal: Rehearsal | None = None
    trouble: Shown = NO_WORDS
    """Why the mailbox could not be looked into, in sentences; '' where it was, or nobody wanted it."""

    @property
    def lost(self) -> bool:
        """Whether what came back is not what should have, nothing at all could be confirmed, or nobody can say."""
        from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy

        if self.confirmation is not None:
            arrived = self.confirmation.arrival.where
            nothing = self.confirmation.copy is SentCopy.UNKNOWN and arrived is ArrivalState.UNKNOWN
            return nothing or self.confirmation.bounce is not None
        return bool(self.trouble) or (self.rehearsal is not None and not self.rehearsal.settled)

    @property
    def unread(self) -> Finding | None:
        """What helps where a mailbox could not be read for a confirmation."""
        return self.confirmation.unread if self.confirmation is not None else None

    @property
    def reason(self) -> str | None:
        """Why something is not known, in sentences; None where nothing is wanting."""
        found = self.confirmation
        if found is None:
            return self.trouble or None
        from smtp_wizard.text.areas.arrivals import NOT_OURS

        told = (found.copy_trouble, found.arrival_trouble, NO_WORDS if found.whose else NOT_OURS)
        return " ".join(filter(None, told)) or None

    def sentences(self, address: Shown) -> Iterable[Shown]:
        """Say it in words."""
        from smtp_wizard.text.areas.arrivals import confirmation_lines, rehearsal_lines

        if self.confirmation is not None:
            return confirmation_lines(self.confirmation)
        return rehearsal_lines(self.rehearsal, address) if self.rehearsal is not None else ()

    def document(
        self, address: str
    ) -> tuple[SentCopy | None, ArrivalState | None, AuthenticationJson | None, AwaitedBounceJson | None]:
        """Return the last fields of the document."""
        from smtp_wizard.engine.mailbox.arrival_states import ArrivalState
        from smtp_wizard.output.documents.checks import AuthenticationJson

        if self.rehearsal is not None:
            return None, None, None, _rehearsed(self.rehearsal, address)
        if self.confirmation is None:
            return None, None, None, None
        arrival = self.confirmation.arrival
        said = arrival.authentication
        proofs = AuthenticationJson(said.spf, said.dkim, said.dmarc)
        there = arrival.where in (ArrivalState.INBOX, ArrivalState.JUNK)
        came = self.confirmation.bounce
        bounce = _came_back(came, address) if came is not None else None
        return self.confirmation.copy, arrival.where, proofs if there else None, bounce


def _rehearsed(rehearsal: Rehearsal, address: str) -> AwaitedBounceJson:
    from smtp_wizard.engine.mailbox.arrival_states import ArrivalState
    from smtp_wizard.output.documents.checks import AwaitedBounceJson

    came = rehearsal.bounce
    return AwaitedBounceJson(
        came is not None,
        came.folder if came is not None else ArrivalState.NO,
        round(rehearsal.waited.total_seconds()),
        address,
        shown(came.letter.reported_by, 100) if came is not None else "",
        rehearsal.cause,
        rehearsal.delayed,
        rehearsal.delivered,
    )


def _came_back(found: ExplainedBounce, address: str) -> AwaitedBounceJson:
    from smtp_wizard.output.documents.checks import AwaitedBounceJson

    bounce = found.bounce
    seconds = round(found.waited.total_seconds())
    return AwaitedBounceJson(
        True, bounce.folder, seconds, address, shown(bounce.letter.reported_by, 100), found.cause, False, False
    )
