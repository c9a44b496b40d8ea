"""Places that somebody else fills: only the way there is saved, never a copy of the secret."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, MutableMapping
from typing import ClassVar

from smtp_wizard.engine.base.characters import has_surrogate
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.secrets.secret_store import LARGEST, Availability, Before, SecretError, SecretFault, do_nothing
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef

USUAL_PREFIX = "SMTP_WIZARD_PASSWORD_"
"""Begins the name of a variable that holds a password, where nobody has chosen another name."""


class ReferenceStore(ABC):
    """A store that keeps the way to a secret alone.

    `put` follows the way and compares what it finds with the secret; `delete` leaves it to its owner.
    """

    kind: ClassVar[StoreKind]

    @abstractmethod
    async def probe(self) -> Availability:
        """Say what the store is good for."""

    @abstractmethod
    async def read(self, where: str) -> Secret:
        """Follow a reference; return the secret that is there. Raises `SecretError`."""

    @abstractmethod
    def default(self, account_name: str) -> str:
        """Return where the secret of an account is looked for if nobody chose. Raises `SecretError`."""

    @abstractmethod
    def differs(self, where: str) -> Shown:
        """Return the sentence for a reference that leads to another secret."""

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        if await self.read(ref.where) != secret:
            raise SecretError(SecretFault.DIFFERS, self.differs(ref.where))

    async def get(self, ref: StoreRef) -> Secret:
        return await self.read(ref.where)

    async def delete(self, ref: StoreRef) -> None:
        """Do nothing: what is there is the owner's to delete."""
        return


class EnvStore(ReferenceStore):
    """Reads secrets from environment variables that somebody else sets; never keeps a copy anywhere else.

    A variable is taken out of the environment when it is first read, or hidden, so that no child process inherits it.
    """

    kind = StoreKind.ENV

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._taken: dict[str, Secret] = {}
        self._no_text: set[str] = set()
        self._empty: set[str] = set()

    def hide(self, variables: Iterable[str]) -> None:
        """Take variables out of the environment before a program is started, which would inherit them.

        So are all that are named as `variable_for` names them. The store finds them all the same.
        """
        usual = [name for name in self._environ if name.startswith(USUAL_PREFIX)]
        for name in {*usual, *variables}:
            value = self._environ.pop(name, None)
            if value is None:
                continue
            if has_surrogate(value):
                self._no_text.add(name)
            elif value:
                self._taken[name] = Secret(value)
            else:
                self._empty.add(name)

    def take(self, variable: str) -> Secret | None:
        """Return what a variable holds, or None where it is not set or empty.

        A secret in the environment is read here and nowhere else, so that the store still finds it afterwards. Raises
        `SecretError` where it holds bytes that are no text, or far more than anybody's secret.
        """
        self.hide((variable,))
        if variable in self._no_text:
            raise SecretError(SecretFault.UNREADABLE, no_text(variable))
        held = self._taken.get(variable)
        if held is not None and len(held) > LARGEST:
            raise SecretError(
                SecretFault.UNREADABLE, phrase("{} holds far more than a password or secret.", variable_words(variable))
            )
        return held

    def lacks(self, variable: str) -> Shown:
        """Say that a variable, of which `take` returned None, is not set, or is empty, without a full stop."""
        return phrase("{} is empty" if variable in self._empty else "{} is not set", variable_words(variable))

    async def probe(self) -> Availability:
        return Availability(
            True,
            "Nothing is saved: the password is read from an environment variable that you set yourself, so timed jobs "
            "(cron) can read it, and so can every program that is started with it.",
            unattended=True,
        )

    async def read(self, where: str) -> Secret:
        held = self.take(where)
        if held is None:
            raise SecretError(
                SecretFault.UNSET,
                phrase("{}; set it before you start smtp-wizard.", self.lacks(where)),
            )
        return held

    def default(self, account_name: str) -> str:
        return variable_for(account_name)

    def differs(self, where: str) -> Shown:
        return phrase(
            "{} holds another password than the one you typed; set it anew before you start smtp-wizard.",
            variable_words(where),
        )


def no_text(variable: str) -> Shown:
    """Say that an environment variable holds bytes that cannot be a password."""
    return phrase("{} holds something that is not UTF-8 text; set it anew.", variable_words(variable))


_PLAIN_NAME = re.compile(r"[A-Z]+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_LONGEST_PLAIN_NAME = 80


def variable_words(name: str) -> Shown:
    """Begin a sentence about an environment variable: 'The environment variable MAIL_PASSWORD'.

    Who typed the secret in the place of the name must not find it in a log: only what can hardly be one is quoted.
    """
    if len(name) <= _LONGEST_PLAIN_NAME and _PLAIN_NAME.fullmatch(name):
        return phrase("The environment variable {}", shown(name))
    return phrase("The environment variable that is named")


def variable_for(account_name: str) -> str:
    """The variable for an account where none is chosen: 'Office ana' -> SMTP_WIZARD_PASSWORD_OFFICE_ANA."""
    ending = re.sub(r"[^A-Z0-9]+", "_", account_name.upper()).strip("_")
    return f"{USUAL_PREFIX}{ending or 'ACCOUNT'}"


def parse_variable(text: str) -> str:
    """Take the name of an environment variable as typed; return it. Raises `InputError`."""
    name = text.strip()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError(phrase("The name of an environment variable has letters, digits and _ only."))
    return name
