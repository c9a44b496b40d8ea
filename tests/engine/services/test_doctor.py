"""The doctor is called where something is wrong: whatever is, that part is told, and all the others are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.vault import VaultState
from smtp_wizard.engine.services.doctor import Doctor
from smtp_wizard.engine.services.part_health import Health, PartHealth
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from tests.support.walk import make_services

ACCOUNT = Account(
    name=phrase("Office"),
    address=Address("ana", "example.test"),
    connection=Connection(endpoint=Endpoint("mail.example.test", 587, Security.STARTTLS), username="ana"),
    identity=Identity(),
    scope=Scope.GENERAL,
    store=None,
    created=datetime(2026, 11, 24, tzinfo=UTC),
)


async def examined(services: Services, environ: Mapping[str, str]) -> dict[str, PartHealth]:
    """What the doctor finds, by its codes."""
    doctor = Doctor(
        folder=services.folder,
        saved_accounts=services.saved_accounts,
        stores=services.stores,
        entries=services.entries,
        wire=SocketWire(),
        environ=environ,
        now=services.now,
    )
    found, left = await doctor.examine(lambda: services.catalog, network=False)
    assert not left.entries
    assert {each.area for each in found} >= {"stores", "config", "dns", "tls", "clock", "data"}
    return {each.code: each for each in found}


async def test_a_folder_that_cannot_be_looked_at_is_told_and_the_rest_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    services = make_services(tmp_path / "a" / "config")
    found = await examined(services, {})
    assert found["folder"].state is Health.FAIL
    assert "cannot be looked at" in found["folder"].sentence
    assert "could not be read" in found["store-vault"].sentence


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below one that this user may not look into, whoever runs the tests."""
    folder = Path("/closed/config")
    real = Path.stat

    def stat(self: Path, *, follow_symlinks: bool = True) -> object:
        if self == folder or folder in self.parents:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    return folder


def test_what_cannot_be_looked_at_is_not_taken_for_missing(closed: Path) -> None:
    services = make_services(closed)
    assert services.stores.vault.state is VaultState.CLOSED, "opening it says why"
    assert not services.saved_accounts.state.readable
    assert services.saved_accounts.state.problems()


@pytest.mark.parametrize("name", ["/" + "x" * 300, "/" + "x/" * 3000, "x"])
async def test_a_certificate_s_file_that_cannot_be_is_told(name: str, tmp_path: Path) -> None:
    services = make_services(tmp_path)
    services.saved_accounts.put(replace(ACCOUNT, connection=replace(ACCOUNT.connection, ca_file=name)))
    found = await examined(services, {"SSL_CERT_FILE": name})
    assert "is not there any more" in found["ca-file"].sentence
    assert found["trust"].state is Health.FAIL
