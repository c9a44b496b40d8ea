"""What both faces say about the places for a password: the way to one that is kept elsewhere, the vault, moving."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.command import parse_command
from smtp_wizard.engine.secrets.file import parse_secret_file
from smtp_wizard.engine.secrets.reference_stores import parse_variable
from smtp_wizard.engine.secrets.store_kinds import StoreKind

WAY_LABELS: Mapping[StoreKind, str] = {
    StoreKind.ENV: "Variable",
    StoreKind.COMMAND: "Command",
    StoreKind.FILE: "File",
}
WAY_HINTS: Mapping[StoreKind, str] = {
    StoreKind.ENV: "MAIL_PASSWORD",
    StoreKind.COMMAND: "pass show mail/office",
    StoreKind.FILE: "~/mail-password, for you alone (chmod 600)",
}
WAY_PARSERS: Mapping[StoreKind, Callable[[str], str]] = {
    StoreKind.ENV: parse_variable,
    StoreKind.COMMAND: parse_command,
    StoreKind.FILE: parse_secret_file,
}
"""What takes the way to a password that is kept elsewhere as typed. Each raises `InputError` with one sentence."""
VAULT_NEW = (
    "Choose a passphrase for the vault: four or five words that do not belong together. Nobody can find it out for "
    "you; without it the passwords in the vault are lost, and are typed anew."
)
VAULT_OPEN = "Type its passphrase. It stays open until you leave the program."
VAULT_NOT_SAME = "Those two were not the same."
VAULT_CLOSED = phrase("The vault stays closed, so nothing was done.")
MOVE_WHY = "It is read back in the new place before the old one is emptied."
TRYING = "Trying this out ..."
MOVE_QUESTION = "Keep its password in:"


def moved_words(name: str, title: str) -> str:
    """Say where the password of an account is now."""
    return f"The password of '{name}' is kept here now: {title}."
