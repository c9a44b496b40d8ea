"""The questions about a server that come up in the midst of a step, in every flow alike, with their cards.

Whether a server that was found is the right one, before a password goes there (RFC 6186 section 6); and, where nobody
answers, whether this network blocks a port, asked of a well-known mail server after a yes.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.scan.blocked_ports import Blame, ControlAnswer
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer
from smtp_wizard.flows.flow import Card, Mood
from smtp_wizard.output.plain_lines import endpoint_words
from smtp_wizard.text.discovery import CONFIRM_SHORT, whose_sentence
from smtp_wizard.text.network import (
    UnreachedPorts,
    answer_steps,
    answer_words,
    ports_words,
    unreached,
    who_acts,
)


def answers_in(endpoint: Endpoint, offered: Endpoint | None, *, said: bool) -> Endpoint | None:
    """Return the same port in the way in which it answers, where that may be taken unasked; else None.

    `offered`: what a finding offers instead. `said`: whether the person said how the port is encrypted. Without
    encryption nothing is ever taken unasked.
    """
    if offered is None or said or offered.security is Security.NONE:
        return None
    return offered if (offered.host, offered.port) == (endpoint.host, endpoint.port) else None


WAITING = "waiting for its answer"


def doubt_card(doubt: UnconfirmedServer) -> Card:
    """Return the card that shows a server, whose it is and who names it, and asks whether it is the right one."""
    named = f"{endpoint_words(doubt.endpoint)}, was found for {doubt.domain}"
    return Card(
        mood=Mood.WARNED,
        title=CONFIRM_SHORT,
        lines=(
            f"{named}, named by {doubt.source}." if doubt.source else f"{named}.",
            f"{whose_sentence(doubt)} Whoever runs it gets your password.",
        ),
        foot="no password was sent yet",
    )


class NetworkQuestion:
    """What there is to find out about ports that did not answer, and what came of it."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._unreached: UnreachedPorts | None = None
        self._named = False

    @property
    def unreached(self) -> UnreachedPorts | None:
        """What there is to find out; None while there is nothing."""
        return self._unreached

    def wonder(self, unreached: UnreachedPorts | None) -> None:
        """Take what there is to find out now, or that there is nothing."""
        self._unreached, self._named = unreached, False

    def wonder_at(self, host: str, ports: Sequence[int], serving: Sequence[Endpoint] | None, named: str = "") -> None:
        """Take ports of a host at which nobody has spoken. `serving`: other ports of it, where those are known.

        `named`: the host that the person wants to be asked, which is their yes; else a well-known one is proposed.
        """
        if named and ports:
            known = None if serving is None else tuple(serving)
            self._unreached, self._named = UnreachedPorts(host, ControlHost(named, tuple(ports)), known), True
        else:
            self.wonder(unreached(self._scans, host, ports, serving))

    @property
    def agreed(self) -> bool:
        """Whether it may be asked without another word."""
        return self._named and self._unreached is not None

    @property
    def urgent(self) -> bool:
        """Whether it is to be asked now: where another port serves, the question would only stand in the way."""
        return self._unreached is not None and not self._unreached.serving

    @property
    def title(self) -> str:
        """The words of the offer that asks."""
        assert self.unreached is not None, "it is offered only where there is something to find out"
        return f"Find out whether this network blocks {ports_words(self.unreached.neutral.ports)}"

    def asking(self) -> Card:
        """Return the card of the question whether the well-known server may be contacted, which it names."""
        assert self.unreached is not None, "it is offered only where there is something to find out"
        neutral = self.unreached.neutral
        them = "this port" if len(neutral.ports) == 1 else "these ports"
        return Card(
            mood=Mood.TOLD,
            title=f"May {neutral.host} be contacted once?",
            lines=(
                f"To find out whether this network blocks {ports_words(neutral.ports)}, {neutral.host}, a well-known "
                f"mail server, is tried on {them}. No password and no message is sent.",
            ),
        )

    def running(self) -> Card:
        """Return the card that stands there while it is asked."""
        assert self.unreached is not None, "it is asked only where there is something to find out"
        return Card(
            mood=Mood.RUNNING, title=f"Trying {self.unreached.neutral.host} …", lines=(WAITING,), foot="Esc stops"
        )

    async def answers(self, options: CheckOptions | None = None) -> tuple[ControlAnswer, ...]:
        """Ask, after the person's yes. Raises what `Scans.ask_neutral` does."""
        assert self.unreached is not None, "it is asked only where there is something to find out"
        neutral = self.unreached.neutral
        return await self._scans.ask_neutral(
            neutral.host, self.unreached.host, neutral.ports, instead=self.unreached.serving, options=options
        )


def answer_card(answers: Sequence[ControlAnswer]) -> Card:
    """Return the card of what was found out: the answer, who acts, and what to do."""
    words = answer_words(answers)
    title, _, rest = words[0].partition(": ") if len(words) == 1 else ("What the network does", "", "")
    said = [f"{rest[0].upper()}{rest[1:]}"] if rest else list(words)
    steps = [f"{number}. {step}" for number, step in enumerate(answer_steps(answers), 1)]
    blocked = any(each.blame in (Blame.NETWORK, Blame.REDIRECTED) for each in answers)
    return Card(
        mood=Mood.FAILED if blocked else Mood.TOLD,
        title=title,
        lines=(*said, f"Who must act: {who_acts(answers)}", *steps),
    )


def serving_instead(answers: Sequence[ControlAnswer]) -> Endpoint | None:
    """Return another port of the same server that serves, which the person can take with one key."""
    return next((each.instead[0] for each in answers if each.instead), None)
