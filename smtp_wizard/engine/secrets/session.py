"""Nowhere: a secret is held in memory until the program ends."""

from __future__ import annotations

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.secret_store import (
    KEPT_NOWHERE,
    Availability,
    Before,
    SecretError,
    SecretFault,
    do_nothing,
)
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef


class SessionStore:
    """Keeps secrets in memory until the program ends; afterwards the person is asked."""

    kind = StoreKind.SESSION

    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}

    async def probe(self) -> Availability:
        return Availability(
            True,
            "Nothing is written down and you are asked for the password each time, so nobody can find it on this "
            "computer, and timed jobs (cron) cannot send.",
            unattended=False,
        )

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        before()
        self._kept[ref.where] = secret

    async def get(self, ref: StoreRef) -> Secret:
        if ref.where not in self._kept:
            raise SecretError(SecretFault.ASK, KEPT_NOWHERE)
        return self._kept[ref.where]

    async def delete(self, ref: StoreRef) -> None:
        self._kept.pop(ref.where, None)
