"""What every place for secrets has in common: what it is asked, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from smtp_wizard.engine.accounts import StoreKind, StoreRef
from smtp_wizard.engine.model import Secret

PASSWORD = "password"
"""What is kept for an account where nothing else is said."""


class Trouble(StrEnum):
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


class SecretError(Exception):
    """A secret could not be kept or read. The text is one sentence for a person, never the secret."""

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble


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

    async def put(self, account_name: str, secret: Secret, item: str = PASSWORD) -> StoreRef:
        """Keep a secret of an account; return where it is. Raises `SecretError`.

        `item`: which one, where an account has several ('oauth'). It has been read back, or compared with what the
        reference leads to, when this returns.
        """
        ...

    async def get(self, ref: StoreRef) -> Secret:
        """Return the secret that `put` kept. Raises `SecretError`."""
        ...

    async def delete(self, ref: StoreRef) -> None:
        """Forget a secret; one that is not there is forgotten already. Raises `SecretError`."""
        ...


def entry_name(account_name: str, item: str = PASSWORD) -> str:
    """The name under which a secret of an account is kept. An account's name has no '/'."""
    return f"{account_name}/{item}"
