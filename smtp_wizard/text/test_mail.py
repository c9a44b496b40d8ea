"""What all faces say about the test message: where it goes, whether it arrived, and what to do where it did not."""

from __future__ import annotations

from datetime import datetime, timedelta

from smtp_wizard.engine.base.address import Address, AddressError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft

WHERE_TO = "Where should the test message go?"
SENDING = "Sending …"
WHICH_WORD = "Sent. Which code word is in the message?"
PERHAPS_WHICH_WORD = "Which code word is in the message?"
ARRIVED = "The test message arrived."
IN_JUNK = "It arrived, in the junk folder."
NOTHING_YET = "Nothing there yet."
CAME_BACK = "Did the message come back?"
NOT_SENT = "The test message was not sent."
WHICH_SENDER = "Which address should the message come from?"
WORKS = "Sending works"
NOT_TRIED = "It could not be tried"
TRY_AGAIN = "Try again"
VAULT_LOCKED = "The vault is locked."

RECIPIENT = "Another address that you read"
SENDER = "Sender"
CODE_WORD = "Code word"
WORD_PLACEHOLDER = "five letters"
SENDER_HINT = "usually the address you sign in with"

SEND_IT = "Send the test"
SKIP_IT = "Skip it: save now, test later"
SKIP_CHIP = "Skip"
IT_ARRIVED = "It arrived"
IT_IS_JUNK, JUNK_CHIP = "It is in the junk folder", "It is in junk"
JUNK_NOTE = "It counts as arrived, and we say what helps."
NOT_THERE = "Nothing yet"
NOT_THERE_NOTE = "Wait, send it elsewhere, or see what came back."
GO_ON = "Go on and save"
ONCE_MORE = "Send it once more"
WAIT, WAIT_CHIP = "Wait, and look again", "Wait"
WAIT_NOTE = "Some providers let a first message wait ten minutes."
ELSEWHERE = "Send it to another address"
ELSEWHERE_NOTE = "One of yours with another provider."
SEE_RETURNED = "See what came back"
SAVE_ANYWAY = "Save all the same"
SAVE_ANYWAY_NOTE = "The account then says 'not proved'."
PASTE_IT = "Paste the message that came back"
PASTE_NOTE = "We say what it means."
MEND_SENDER = "Change the sender"
MEND_SENDER_NOTE = "The server takes mail only from an address of your own mailbox."
CHANGE_SIGN_IN, CHANGE_SIGN_IN_CHIP = "Change how you sign in", "Change it"
SAME_AGAIN = "Send once more, as it is"
SKIP_TEST = "Go on without a test message"
OPEN_INBOX, OPEN_IT = "Open the practice inbox", "Open the inbox"
INBOX_NOTE = "What was sent for practice stays on this computer."
INBOX_EMPTY = "The message is not there yet."
INBOX_TITLE = "The practice inbox"

LOOK, LOOK_CHIP = "Look in my mailbox: is a copy in Sent?", "Look there"
LOOK_NOTE = "It is read over IMAP; nothing in it is changed."
REHEARSE, REHEARSE_CHIP = "See what happens to mail that cannot be delivered", "Try it"
REHEARSE_NOTE = "One message to an address that is nobody's, to see it come back."
FOLLOWED = "What became of the message?"
FOLLOWED_WELL, FOLLOWED_NOT = "This was found", "Not everything could be found"

PERHAPS_TITLE = "It may or may not have been sent"
PERHAPS_WORDS = "The connection ended before the server's answer. Look for the message before you send it again."
REFUSED_TITLE = "The server refused this sign-in"
REFUSED_WORDS = "Exactly this was refused, so nothing was sent. Change it first."
PAUSED_YES = "Try anyway, once"
PAUSED_NO = "Wait"
PAUSED_NO_NOTE = "You can save now, and test later."


def parse_recipient(draft: Draft, text: str) -> Address:
    """Take the address of a test message. Raises `InputError`, also for the mailbox that sends.

    Who practises may leave it empty: any other address will do, and nobody has one at hand.
    """
    asked = text.strip() or practice_recipient(draft)
    if not asked:
        raise AddressError(phrase("Type an address of yours where you can look for it."))
    address = Address.parse(asked)
    refuse_own_mailbox(address, draft.from_address, draft.address)
    return address


def parse_sender(text: str) -> Address:
    """Take the address of the sender. Raises `AddressError`."""
    if not text.strip():
        raise AddressError(phrase("Type the address that the message should come from."))
    return Address.parse(text)


def practice_recipient(draft: Draft) -> str:
    """Return where a test message goes in practice if nothing is typed; '' where it is no practice."""
    sender = draft.from_address or draft.address
    if not draft.connection.sandbox or sender is None:
        return ""
    return str(Address("ana" if sender.local == "bob" else "bob", sender.domain))


def recipient_hint(draft: Draft) -> str:
    """Say which address is of no use for a test; in practice, where an empty field sends it."""
    practice = practice_recipient(draft)
    return f"left empty: {practice}" if practice else f"another one than {draft.from_address}"


def what_is_sent(draft: Draft) -> tuple[str, ...]:
    """Say what the message is like."""
    return (
        f"From: {draft.from_address}",
        "Subject: smtp-wizard test, and a code word",
        "Text: the same word, which you type here when the message is there",
    )


def time_words(at: datetime) -> str:
    """Return a time of today as people read it."""
    return f"{at.astimezone():%H:%M}"


def sent_words(draft: Draft, at: datetime | None) -> str:
    """Say where the message went, and when."""
    return f"to {draft.test_to}" + (f", {time_words(at)}" if at is not None else "")


def wrong_word(draft: Draft) -> str:
    """Say that another word was sent."""
    return "That is not the word. Look in the newest message." if draft.test_word else "No code word was sent."


LACKING_WORD = "Type the word that is in the message, or choose below."


def arrived_words(draft: Draft) -> str:
    """Say that sending works."""
    return f"The message has reached {draft.test_to}."


JUNK_TITLE = "Sending works. Two things keep it out of junk"
JUNK_YOU = "You: open it there and press 'Not junk'. That mailbox learns at once."


def junk_customers(draft: Draft, provider: Provider | None) -> str:
    """Say what keeps mail to customers out of their junk folders, by whose domain the mail comes from."""
    sender, endpoint = draft.from_address, draft.connection.endpoint
    if sender is None or endpoint is None or _is_theirs(sender, provider):
        return (
            f"Your customers: ask new ones to look there once, and to add {sender} to their contacts. Then your mail "
            "is no junk to them."
        )
    listed = provider is not None and provider.kind is not ProviderKind.CUSTOM
    who = provider.name if provider is not None and listed else endpoint.host
    return (
        f"Your customers: {sender.domain} should say that {who} may send for it (records named SPF and DKIM). "
        f"Whoever looks after {sender.domain} adds them."
    )


def _is_theirs(sender: Address, provider: Provider | None) -> bool:
    """Whether the domain is the provider's own: then its records are the provider's matter."""
    return provider is not None and (sender.domain in provider.domains or provider.kind is ProviderKind.SANDBOX)


def nothing_title(at: datetime | None, now: datetime) -> str:
    """Say how long it has been on its way."""
    if at is None:
        return "Sent, and not there"
    minutes = max(0, int((now - at) / timedelta(minutes=1)))
    when = {0: "just now", 1: "a minute ago"}.get(minutes, f"{minutes} minutes ago")
    return f"Sent {when}, and not there"


def nothing_words(draft: Draft, at: datetime | None) -> tuple[str, ...]:
    """Say what is known of it, and where else to look."""
    took = f"The server took it at {time_words(at)}." if at is not None else "The server took it."
    return (
        f"{took} Look in Junk or Spam as well.",
        f"What cannot be delivered comes back to {draft.from_address}, and says why.",
    )


def returned_note(draft: Draft) -> str:
    """Say where a message goes that could not be delivered."""
    return f"Mail that could not be delivered returns to {draft.from_address}."


def returned_title(draft: Draft) -> str:
    """Say where to look for it."""
    return f"Look in the inbox of {draft.from_address}"


RETURNED_WORDS = (
    "Look for a message from 'Mail Delivery' or 'Postmaster': it names the reason.",
    "You: copy all of its text. 'Explain an error' says what it means.",
)


def tally(passed: int, of: int) -> str:
    """Say how many checks have passed."""
    return f"{passed} of {of} checks passed"


WHY_ANOTHER = (
    "Mail to the mailbox that sends it often arrives although nothing would reach a customer.",
    "Take one with another provider: your private one, or a colleague's.",
)
WHY_A_WORD = ("Only somebody who has seen this message knows the word. So an older test message is not taken for it.",)
WHERE_IT_IS = ("It may take a minute. Look in Junk, Spam and 'Promotions' as well.",)
