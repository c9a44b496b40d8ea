"""Where a test message may go: to any mailbox but the one that sends it."""

from __future__ import annotations

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import ascii_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown


class OwnMailbox(InputError):
    """A test message was to go to the mailbox that sends it."""


def refuse_own_mailbox(recipient: Address, *own: Address | None) -> None:
    """Refuse one of the sender's own addresses for the test message. Raises `OwnMailbox`.

    Many servers put such a message into the mailbox without sending it anywhere, so that it proves nothing.
    """
    if any(each is not None and _same_mailbox(recipient, each) for each in own):
        raise OwnMailbox(
            phrase(
                "{} is the mailbox that sends: many providers deliver that without sending it, so it proves nothing. "
                "Choose another address.",
                shown(str(recipient)),
            )
        )


def _same_mailbox(one: Address, other: Address) -> bool:
    """Whether two addresses lead to one mailbox, as far as can be told from them."""
    return (one.local.casefold(), ascii_host(one.domain)) == (other.local.casefold(), ascii_host(other.domain))
