"""What can be proved of a message that was sent, in words: its copy in Sent, its arrival, a bounce."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, AuthenticationState, SentCopy
from smtp_wizard.engine.mailbox.authentication_results import Authentication
from smtp_wizard.engine.services.arrivals import Confirmation, ExplainedBounce, Rehearsal
from smtp_wizard.text.areas.bounces import no_junk_words

COPY_WORDS: Mapping[SentCopy, Shown] = {
    SentCopy.FOUND: phrase("A copy lies in Sent: your provider files one of what programs send."),
    SentCopy.ABSENT: phrase(
        "No copy lies in Sent: your provider files none of what programs send. To keep one, have your application send "
        "a Bcc to your own address, or switch on its own record of what was sent."
    ),
    SentCopy.UNKNOWN: phrase("Whether a copy lies in Sent is not known."),
}
NOT_OURS = phrase("The mailbox that it went to is of no account saved here, so nobody looked there.")
_PROOF_WORDS: Mapping[AuthenticationState, Shown] = {
    AuthenticationState.PASS: phrase("good"),
    AuthenticationState.FAIL: phrase("not good"),
    AuthenticationState.NONE: phrase("none"),
    AuthenticationState.UNKNOWN: phrase("not said"),
}


def confirmation_lines(confirmation: Confirmation) -> Iterator[Shown]:
    """Yield what was found, in sentences."""
    if confirmation.bounce is not None:
        yield came_back_words(confirmation.bounce)
    yield COPY_WORDS[confirmation.copy]
    if confirmation.copy_trouble:
        yield confirmation.copy_trouble
    if confirmation.whose:
        yield arrived_words(confirmation.arrival.where, confirmation.whose)
        if confirmation.arrival_trouble:
            yield confirmation.arrival_trouble
        if confirmation.arrival.unknown:
            yield _no_junk_words(confirmation.arrival.unknown)
        if confirmation.arrival.authentication.known:
            yield authentication_words(confirmation.arrival.authentication)


def came_back_words(found: ExplainedBounce) -> Shown:
    """Say that a message has come back already, and why."""
    reported, reason = shown(found.bounce.letter.reported_by, 100), found.reason
    by = phrase(", reported by {}", reported) if reported else phrase("")
    return phrase("The message has come back{}: {}. {}", by, reason.title, reason.explanation)


def _no_junk_words(folders: Sequence[str]) -> Shown:
    return no_junk_words([shown(each, 80) for each in folders])


def arrived_words(where: ArrivalState, whose: Shown) -> Shown:
    """Say where a message lies in the mailbox of an account."""
    match where:
        case ArrivalState.INBOX:
            return phrase("It has arrived in the inbox of '{}'.", whose)
        case ArrivalState.JUNK:
            return phrase(
                "It has arrived in '{}', but in Junk: 'smtp-wizard domain' says what receivers look at.", whose
            )
        case ArrivalState.NO:
            return phrase("It lies neither in the inbox nor in Junk of '{}' yet. Look again in some minutes.", whose)
        case ArrivalState.UNKNOWN:
            return phrase("Whether it has arrived in '{}' is not known.", whose)


def authentication_words(found: Authentication) -> Shown:
    """Say what the receiver found of the message's origin."""
    words = phrase(
        "The receiver says: SPF {}, DKIM {}, DMARC {}.",
        _PROOF_WORDS[found.spf],
        _PROOF_WORDS[found.dkim],
        _PROOF_WORDS[found.dmarc],
    )
    if AuthenticationState.FAIL in (found.spf, found.dkim, found.dmarc):
        return phrase("{} What is not good is mended in your domain's records: see 'smtp-wizard domain'.", words)
    return words


def rehearsal_lines(rehearsal: Rehearsal, address: Shown) -> Iterator[Shown]:
    """Yield what became of the message to an address that is nobody's."""
    seconds = round(rehearsal.waited.total_seconds())
    bounce = rehearsal.bounce
    if bounce is None:
        yield from _nothing_back(rehearsal, seconds)
        return
    reported = shown(bounce.letter.reported_by, 100)
    yield phrase("The message to {} came back after {} seconds, reported by {}.", address, seconds, reported)
    if rehearsal.reason is not None:
        reason = rehearsal.reason
        yield phrase("But not because the address is nobody's: {}. {}", reason.title, reason.explanation)
    if bounce.folder is ArrivalState.JUNK:
        yield phrase("It lies in Junk, where nobody looks: tell your mailbox that it is no junk.")
    else:
        yield phrase("It lies in the inbox, so you hear of mail that does not arrive. 'smtp-wizard bounces' reads it.")


def _nothing_back(rehearsal: Rehearsal, seconds: int) -> Iterator[Shown]:
    """Yield what it means that no bounce has come within some seconds."""
    if rehearsal.delivered:
        yield phrase(
            "The message itself lies in your mailbox: your domain takes mail for every address. So nothing comes back "
            "of a misspelt one there. To see a bounce, use an address of another domain."
        )
        return
    if rehearsal.delayed:
        yield phrase("After {} seconds there is only word that the message is late, and is still being tried.", seconds)
        yield phrase(
            "The bounce comes when its server gives up, mostly after days: 'smtp-wizard bounces' shows it then."
        )
        return
    yield phrase("Nothing has come back within {} seconds.", seconds)
    if rehearsal.unknown:
        yield _no_junk_words(rehearsal.unknown)
    yield phrase(
        "Some servers take minutes. If nothing comes at all, your application's mail gets lost without a word: ask "
        "your provider where mail that cannot be delivered goes."
    )


# --- as steps: what is asked, and what is said on the way ---

CONFIRM_SENT_TITLE = "Look where the message arrived"
CONFIRM_WORDS = (
    "One message is sent. Then your own mailbox is read: is a copy in Sent? Where it went is read too, if that is an "
    "account of yours saved here. Nothing in a mailbox is changed.",
)
RECIPIENT = "Another address that you read"
RECIPIENT_HINT = "not the mailbox that sends"
SEND_AND_LOOK, LOOK, WAIT_FOR_IT, LEAVE = "Send it, and look", "Look there", "Wait for it", "Leave it"
WAIT_WORDS = "No second message is sent. Your own mailbox is read until the first one has come back."
SEND_ONE, SEND_NONE = "Send it, and wait", "Send nothing"
NOT_SENT = "No message was sent."
TAKEN = "The server has taken the message."
PERHAPS_SENT = "Nobody can say whether the message was sent."
REFUSED_AT_ONCE = (
    "Your server refuses such an address at once, before it takes the message: nothing comes back, and the application "
    "that sends must show the error. To see a bounce, use an address of another domain."
)
NO_REASON = "The server gave no reason."
LEFT_ALONE = "Nothing was tried."


def look_words(address: Shown) -> tuple[str, ...]:
    """Say what is read, before anybody signs in there."""
    return (
        f"The mailbox of {address} is read over IMAP, with the same sign-in: is a copy in Sent? Where the message went "
        "is read too, if that is an account of yours saved here. Nothing in a mailbox is changed.",
    )


def not_read_words(name: Shown) -> str:
    """Say in whose mailbox nobody has looked."""
    return f"The mailbox of '{name}' was not read."


def rehearse_words(address: Shown) -> tuple[Shown, Shown]:
    """Say what is sent, and why, before it is."""
    return (
        phrase("A message is sent to {}, which is nobody's, to see it come back.", address),
        phrase("So you know where to look when an invoice does not arrive. It takes up to a minute."),
    )


def sending_words(address: Shown) -> str:
    """Say that a message is being sent."""
    return f"Sending a message to {address} ..."


def looking_words(name: str) -> str:
    """Say that a mailbox is being read."""
    return f"Looking for the message in the mailbox of '{name}' ..."


def waiting_words(seconds: int) -> str:
    """Say that a message is to come back."""
    return f"Waiting up to {seconds} seconds for it to come back ..."
