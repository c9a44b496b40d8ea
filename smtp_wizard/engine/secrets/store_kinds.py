"""The kinds of places where a secret can be kept, and the reference that is saved in place of the secret."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.lazy_dataclass import dataclass


class StoreKind(StrEnum):
    """Where a secret can be kept."""

    KEYRING = "keyring"
    """The operating system's own keyring."""
    VAULT = "vault"
    """An encrypted file of our own, opened by a passphrase."""
    COMMAND = "command"
    """What a command prints."""
    FILE = "file"
    """A file that somebody else writes."""
    ENV = "env"
    """An environment variable, which somebody else sets."""
    SESSION = "session"
    """Nowhere: asked for each time."""

    @property
    def is_reference(self) -> bool:
        """Whether only the way to the secret is kept, and somebody else puts the secret there."""
        return self in (StoreKind.COMMAND, StoreKind.FILE, StoreKind.ENV)


@dataclass(frozen=True, slots=True)
class StoreRef:
    """Says where a secret is, never what it is."""

    kind: StoreKind
    where: str
    """keyring, vault and session: `<account>/password/<hex>`, in older files without the last part; command: its words,
    quoted as for a shell (the program splits them again, and uses no shell); file: its full name, or
    `$CREDENTIALS_DIRECTORY/NAME`; env: the name of the variable. Where the account signs in by an access token, a
    command prints such a token."""
