"""Runs inside a private D-Bus session: what the keyring store does there, as one JSON object on stdout."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.keyring import KeyringStore
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.support.stores import put


async def whole_life(store: KeyringStore, secrets: list[str]) -> dict[str, object]:
    """Keep, read, replace and delete secrets; return what came of it."""
    probe = await store.probe()
    if not probe.ok:
        return {"ok": False, "words": probe.words}
    came_back = []
    for number, secret in enumerate(secrets):
        ref = await put(store, f"Account {number}", Secret(secret))
        came_back.append((await store.get(ref)).reveal() == secret)
    replaced = await put(store, "Account 0", Secret("another one"))
    came_back.append((await store.get(replaced)).reveal() == "another one")
    for number in range(len(secrets)):
        await store.delete(StoreRef(StoreKind.KEYRING, f"Account {number}/password"))
    await store.delete(replaced)
    return {"ok": True, "words": probe.words, "came_back": came_back, "after": await trouble_of_get(store)}


async def trouble_of_get(store: KeyringStore) -> str:
    """What reading the first account's secret is refused with; '' where it is there."""
    try:
        await store.get(StoreRef(StoreKind.KEYRING, "Account 0/password"))
    except SecretError as problem:
        return problem.fault.value
    return ""


async def leave_one(store: KeyringStore) -> dict[str, object]:
    """Keep one secret for a session to come."""
    await put(store, "Account 0", Secret("kept over the end of the session"))
    return {"after": await trouble_of_get(store)}


async def look(store: KeyringStore) -> dict[str, object]:
    """Say what the probe and the reading of a secret come to."""
    probe = await store.probe()
    return {"ok": probe.ok, "words": probe.words, "after": await trouble_of_get(store)}


def be_a_mute_service() -> Any:
    """Own the name of the desktop's secret service and never answer; it lasts as long as what is returned."""
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import open_dbus_connection

    connection = open_dbus_connection(bus="SESSION")
    connection.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets"))
    return connection


async def act(what: str) -> dict[str, object]:
    """Do one of the acts above; return what it tells."""
    match what:
        case "whole-life":
            return await whole_life(KeyringStore(), json.load(sys.stdin))
        case "leave-one":
            return await leave_one(KeyringStore())
        case "look":
            return await look(KeyringStore())
        case "look-while-mute":
            with be_a_mute_service():
                return await look(KeyringStore(limit=2.0))
    raise SystemExit(f"unknown: {what}")


def main() -> None:
    """Take what to do from the command line; print what came of it, and how many seconds it took."""
    began = time.monotonic()
    told = asyncio.run(act(sys.argv[1]))
    sys.stdout.write(json.dumps({**told, "took": time.monotonic() - began}))


if __name__ == "__main__":
    main()
