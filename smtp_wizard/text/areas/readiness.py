"""What all faces say about being ready for a mailing."""

from __future__ import annotations

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.domain.readiness import Requirement

QUESTION = "Am I ready for this mailing?"
RECIPIENTS = "To how many people"
LOOKING = "Asking the DNS about your domain"
NOT_LOOKED = "Your domain could not be looked at"
NO_ACCOUNT = "No account is saved that could send a mailing. Set one up first."
DOES_NOT_FIT = "It does not fit the limits of the provider: see the plan."
FIT_NOT_KNOWN = "Whether it fits the provider's limits is not known: see the plan."
NO_ANSWER = "The DNS did not answer: look again in some minutes."
PLAN = "How long it takes"
WHAT_IS_LOOKED_AT = (
    "Large receivers ask something of whoever sends to many: SPF, DKIM, DMARC, one-click unsubscribe.",
    "Only the DNS is asked, and only about your domain. Nothing is sent.",
)


def ready_title(name: str) -> str:
    """Say that nothing is missing."""
    return f"'{name}' is ready for this mailing"


def missing_title(name: str, missing: int) -> str:
    """Say that it is not ready, and how much is missing."""
    counted = f": {missing} thing{'s' if missing > 1 else ''} missing" if missing else ""
    return f"'{name}' is not ready for this mailing{counted}"


def not_known_title(name: str) -> str:
    """Say that nobody can say it."""
    return f"It is not known whether '{name}' is ready for this mailing"


def undecided_words(number: int) -> str:
    """Say how much must be known first."""
    things = "One thing that decides it is" if number == 1 else f"{number} things that decide it are"
    return f"{things} not known."


def takes_words(days: int) -> str:
    """Say how long it takes, where that is longer than a day."""
    return f"It takes {days} days."


def unseen_words(number: int) -> str:
    """Say of how much nobody can tell from here."""
    things = "One more thing" if number == 1 else f"{number} more things"
    return f"{things} cannot be seen from here: see to that yourself."


def asked_words(asked: Requirement) -> str:
    """Say who asks for something, of whom, and who says so."""
    many = f" from {asked.many:,} messages a day on" if asked.many > 1 else ""
    source = f"{shown(asked.source.title, 120)}, {asked.as_of}"
    return f"Asked by {', '.join(asked.by)}{many}, since {asked.since}. Source: {source}."
