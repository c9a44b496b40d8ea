"""How many keys a person presses beside what they type: from the first screen to the saved account."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtp_wizard.app import SETUP
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.connect_state import ConnectPhase
from tests.support.places import EMAIL, GOOD, PASSWORD, TEST_TO, Place, at_address, draft_at_connect, seen, standing
from tests.support.redirect import RedirectWire, playing, tls_ports
from tests.support.stores import RaisingBackend, always, desktop
from tests.support.walk import Walk, catalog, make_services, walking

PRACTICE_ENTERS, GMAIL_ENTERS = 7, 8


async def typed_and_sent(walk: Walk, password: str, to: str = "") -> None:
    """From Connect to the message that was seen: what is typed, and Enter."""
    await walk.at("connect")
    await walk.write(password)
    await walk.press("enter")
    await walk.until_reads("Enter Send a test")
    await walk.press("enter")
    await walk.at("testmail")
    if to:
        await walk.write(to)
    await walk.press("enter")
    await walk.until_reads("Which code word is in the message?")


async def saved(walk: Walk) -> None:
    await walk.at("review")
    await walk.until_reads("Password  ")
    await walk.press("enter")
    await walk.at("done")


@pytest.mark.parametrize("keyring", [True, False])
async def test_practice_is_f3_and_seven_enters(keyring: bool, tmp_path: Path) -> None:
    """With and without a keyring: nobody is asked to think of a passphrase for the practice password."""
    stores = SecretStores({}, tmp_path, backend_factory=always(desktop() if keyring else RaisingBackend()))
    async with walking(make_services(tmp_path, stores=stores)) as walk:
        await walk.at("address")
        await walk.press("f3")
        await walk.at("signin")
        await walk.press("enter")
        await typed_and_sent(walk, practice_password())
        await walk.press("enter")
        await walk.until_reads("The code of this test is")
        await seen(walk)
        await saved(walk)
        assert walk.pressed == ["f3", *["enter"] * PRACTICE_ENTERS]
        (account,) = walk.app.context.services.saved_accounts.list()
        assert account.name == walk.draft.saved


async def test_gmail_is_eight_enters(tmp_path: Path) -> None:
    async with standing(Place(at_address), tmp_path) as walk:
        await walk.write(str(EMAIL))
        await walk.press("enter")
        await walk.at("provider")
        await walk.press("enter")
        await walk.at("signin")
        await walk.press("enter")
        await typed_and_sent(walk, PASSWORD, str(TEST_TO))
        await seen(walk)
        await saved(walk)
        assert walk.pressed == ["enter"] * GMAIL_ENTERS


async def test_a_wrong_security_is_one_key(tmp_path: Path) -> None:
    """The cure is what Enter does, with the password that stands there."""
    async with playing(tmp_path / "practice", "starttls-only") as servers:
        services: Services = make_services(tmp_path, RedirectWire(servers["starttls-only"], tls_ports(catalog())))
        draft = draft_at_connect()
        assert draft.connection.endpoint is not None
        assert draft.connection.endpoint.security is Security.TLS
        async with walking(services, start=SETUP, draft=draft) as walk:
            await walk.at("connect")
            await walk.write(PASSWORD)
            await walk.until(lambda: walk.connect.at is ConnectPhase.FAILED, "the check of the server")
            before = len(walk.pressed)
            await walk.sign_in()
            assert walk.connect.at is ConnectPhase.PASSED
            assert walk.pressed[before:] == ["enter"]
            assert GOOD not in servers
