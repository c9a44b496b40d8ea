"""A saved account, and the name that a person gives it."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import field
from typing import Annotated

from smtp_wizard.engine.accounts.tags import Tag
from smtp_wizard.engine.base.address import Address, AddressText
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.errors import InputError, ShownError
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.records import INLINE, UNSAVED, YOUNGER, AsText, Moment, like
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.store_kinds import StoreRef
from smtp_wizard.engine.state.results import LastResult
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal

NAME_LIMIT = 60
"""Characters of an account's name at most."""


class AccountsError(ShownError):
    """Something about the saved accounts did not work. The text is one sentence for a person."""


class AccountNameError(InputError):
    """A name that was typed for an account cannot be used."""


def parse_name(text: str) -> Shown:
    """Take a name for an account as typed; return it without blanks around it, runs of blanks made one.

    Raises `AccountNameError` with one sentence. A '/' is refused because it parts account and kind in a keyring.
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name:
        raise AccountNameError(phrase("Give the account a name, for example 'Office'."))
    if len(name) > NAME_LIMIT:
        raise AccountNameError(phrase("A name has at most {} letters; this one has {}.", NAME_LIMIT, len(name)))
    if "/" in name:
        raise AccountNameError(phrase("A name has no slash (/) in it."))
    words = shown(name, NAME_LIMIT)
    if words != name:
        raise AccountNameError(phrase("That name has a character in it that cannot be seen; please type it by hand."))
    return words


def _saved_name(text: str) -> Shown:
    """Return a name that is written as `parse_name` writes it. Raises `ValueError`."""
    name = parse_name(text)
    if name != text:
        raise ValueError("written otherwise")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mailbox that sends, as it is saved. Never the secret."""

    name: Annotated[Shown, AsText(_saved_name, str, "the name of an account")]
    """As `parse_name` returns it. Upper and lower case are the same name."""
    address: AddressText
    connection: Annotated[Connection[Endpoint], INLINE]
    identity: Annotated[Identity, INLINE]
    """With the company's name and Reply-To only where the application is told them: see `Identity.in_use`."""
    scope: Scope
    store: StoreRef | None
    """None for a server that wants no sign-in."""
    created: Moment
    """Aware."""
    login: Annotated[SignInRenewal | None, YOUNGER] = None
    """For an account that signs in in the browser and stays signed in."""
    tags: Annotated[tuple[Tag, ...], YOUNGER] = ()
    """Words by which some of many are chosen, in order, each once."""
    id: Annotated[str, like(r"(?:[0-9a-f]{16})?", "an id"), YOUNGER] = field(default="", compare=False)
    """What is learnt of the account is kept under this, whatever it is named. Given when it is first saved."""
    last: Annotated[LastResult | None, UNSAVED] = field(default=None, compare=False)
    """How its last check came out. Not saved with it."""

    @property
    def from_address(self) -> Address:
        """The address that stands in From."""
        return self.identity.sender or self.address


def fit_name(wanted: str) -> str:
    """Make a name out of any text: what a name cannot have becomes a blank."""
    kept = "".join(" " if ch == "/" or shown(ch) != ch else ch for ch in unicodedata.normalize("NFC", wanted))
    return " ".join(kept.split())[:NAME_LIMIT].rstrip() or "Account"


def name_key(name: str) -> str:
    """What two names have in common when they are the same name to a person."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def new_id() -> str:
    """Return an id for a new account. It tells nothing of it."""
    return secrets.token_hex(8)
