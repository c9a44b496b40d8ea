"""What may be done once the test message is sent: look where it arrived, and see what cannot be delivered come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from smtp_wizard.engine.accounts.account import fit_name
from smtp_wizard.engine.base.connection import Auth, knows_server
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.wizard.account_draft import account_of
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.flows.accounts.action import ActionResult
from smtp_wizard.flows.accounts.arrival import ArrivalActions, ConfirmArrival, MessageAction, SentMessage
from smtp_wizard.flows.flow import Card, Mood, Offer
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer
from smtp_wizard.text import test_mail as words

LOOK = Offer(MailTestOffer.LOOK, words.LOOK, words.LOOK_NOTE, chip=words.LOOK_CHIP)
REHEARSE = Offer(MailTestOffer.REHEARSE, words.REHEARSE, words.REHEARSE_NOTE, chip=words.REHEARSE_CHIP)
ARRIVED_AS: Mapping[ArrivalState, ReportedArrival] = {
    ArrivalState.INBOX: ReportedArrival.ARRIVED,
    ArrivalState.JUNK: ReportedArrival.JUNK,
}
"""What is proved by where the message was found."""


class FollowUp:
    """Makes the actions for an account that is not saved yet."""

    def __init__(self, messages: ArrivalActions, now: Callable[[], datetime]) -> None:
        self._messages = messages
        self._now = now

    @staticmethod
    def offers(draft: Draft) -> tuple[Offer[MailTestOffer], ...]:
        """Return what may be done, where the mailbox can be read.

        A sign-in in the browser is renewed as it is used, and is kept nowhere yet: with that the accounts offer it.
        """
        connection = draft.connection
        readable = connection.may_have_mailbox and connection.auth is Auth.PASSWORD and knows_server(connection)
        return (LOOK, REHEARSE) if readable and draft.test_to is not None and draft.test_word else ()

    def action(self, offer: MailTestOffer, draft: Draft) -> MessageAction:
        """Return the action; it asks before anything is read or sent. Raises `InputError`."""
        assert draft.test_to is not None, "else it is not offered"
        account = account_of(replace(draft, name=draft.name or fit_name(str(draft.address))), self._now())
        if offer is MailTestOffer.REHEARSE:
            return self._messages.rehearse(account, secret=draft.secret, keep=False)
        sent = SentMessage(to=draft.test_to, code=draft.test_word)
        return self._messages.confirm(account, secret=draft.secret, sent=sent)


def with_arrival(draft: Draft, action: MessageAction | None) -> Draft:
    """Return the draft; a message that was found in the other mailbox has arrived."""
    found = action.confirmation if isinstance(action, ConfirmArrival) else None
    where = ARRIVED_AS.get(found.arrival.where) if found is not None else None
    return replace(draft, arrival=where) if where is not None else draft


def found_card(done: ActionResult, action: MessageAction | None) -> Card:
    """Return the card of what `action` found, and of what it did not."""
    well = not done.trouble and _has_found(action)
    return Card(
        mood=Mood.PASSED if well else Mood.WARNED,
        title=words.FOLLOWED_WELL if well else words.FOLLOWED_NOT,
        lines=tuple(each for each in (done.said, done.trouble) if each),
    )


def _has_found(action: MessageAction | None) -> bool:
    """Whether anything was found, and nothing kept it from being looked for."""
    if not isinstance(action, ConfirmArrival):
        return action is not None and action.came_to_an_end
    found = action.confirmation
    if found is None or found.copy_trouble or found.arrival_trouble:
        return False
    return found.copy is SentCopy.FOUND or found.arrival.where in ARRIVED_AS
