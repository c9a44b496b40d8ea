"""What every place for secrets has in common: what it is asked, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from secrets import token_hex
from typing import Protocol

from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef

Before = Callable[[], None]
"""Called just before a secret is written, from whatever thread writes it. What it raises stops the writing."""


def do_nothing() -> None:
    """What is done before a secret is written where nobody wants to know."""


class SecretFault(StrEnum):
    """Why a store could not do what was asked."""

    ABSENT = "absent"
    """There is no keyring, or no vault, here."""
    LOCKED = "locked"
    MUTE = "mute"
    """No answer within the time limit."""
    FORGETS = "forgets"
    """What was stored is not what comes back."""
    UNSAFE = "unsafe"
    """A keyring plug-in that may keep secrets in clear text, or asks on our terminal."""
    REFUSED = "refused"
    """Any other fault of the store."""
    MISSING = "missing"
    """The store works, and the secret is not in it."""
    UNSET = "unset"
    """The environment variable is not set."""
    DIFFERS = "differs"
    """What a reference leads to is another secret."""
    ASK = "ask"
    """Nothing is kept: the person is to be asked."""
    CLOSED = "closed"
    """The vault is closed: its passphrase is needed."""
    WRONG = "wrong"
    """The passphrase does not open the vault."""
    DAMAGED = "damaged"
    """The vault's file is not as it was written."""
    UNREADABLE = "unreadable"
    """What a reference leads to (a command, a file) gives no secret."""
    EXPOSED = "exposed"
    """Others on this computer can read the file."""
    TOO_LONG = "too-long"
    """The keyring takes no secret of that length."""


LARGEST = 64 * 1024
"""Bytes of a secret at most. Nobody has one that long; a wrong file or a runaway command does."""
KEPT_NOWHERE = phrase("The password of this account is not kept anywhere; it is asked for each time.")
"""Why a secret cannot be had that the person wants to type."""


class SecretError(ShownError):
    """A secret could not be kept or read. The text is one sentence for a person, never the secret."""

    def __init__(self, fault: SecretFault, words: Shown) -> None:
        super().__init__(words)
        self.fault = fault


class ReferenceMissing(SecretError):
    """There is nothing where a reference leads to: no other store is of help."""

    def __init__(self, words: Shown) -> None:
        super().__init__(SecretFault.MISSING, words)


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a store can be offered, and what it is good for."""

    ok: bool
    words: str
    """One honest sentence: what it protects from and whether timed jobs can read it; or why it cannot be used."""
    unattended: bool
    """Jobs that run with nobody there (cron, the application itself) can read it."""


class SecretStore(Protocol):
    """One place where secrets can be kept."""

    @property
    def kind(self) -> StoreKind: ...

    async def probe(self) -> Availability:
        """Try the store out, and say whether it can be offered. Never raises `SecretError`."""
        ...

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        """Keep a secret where the reference says, in place of what was there. Raises `SecretError`.

        It has been read back, or compared with what the reference leads to, when this returns. `before` is not called
        where nothing is written.
        """
        ...

    async def get(self, ref: StoreRef) -> Secret:
        """Return the secret that `put` kept. Raises `SecretError`."""
        ...

    async def delete(self, ref: StoreRef) -> None:
        """Forget a secret; one that is not there is forgotten already. Raises `SecretError`."""
        ...


def entry_name(account_name: str) -> str:
    """Return a name for a new entry of an account, which has no '/' in its own name.

    Each is another one: of two changes to the same account at the same time neither touches what the other has kept.
    Entries of older versions, '<account>/password', are read as they are.
    """
    return f"{account_name}/password/{token_hex(8)}"
