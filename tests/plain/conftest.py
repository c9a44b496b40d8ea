"""The wizard in lines of text, led by a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.launch import build_services
from smtp_wizard.plain.wizard import PlainWizard
from tests.plain.exchanges import Look, Walk
from tests.support.codeword import always_the_same
from tests.support.dialogue import Dialogue, Exchange
from tests.support.discovering import answering
from tests.support.network import Network


@pytest.fixture
def network() -> Network:
    """The network of the walks, which a test may exchange."""
    return Network(SocketWire())


@pytest.fixture
def services(own_home: Path, network: Network) -> Services:
    return build_services(own_home / "config", {}, wire=network)


@pytest.fixture(scope="module")
def guides() -> Guides:
    return Guides()


@pytest.fixture(autouse=True)
def one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test message has the same code word."""
    always_the_same(monkeypatch)


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at the passphrases of these tests need not be dear."""
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


@pytest.fixture
def walk(services: Services, guides: Guides) -> Walk:
    """Walk by a script, whose every answer must be asked for; the person leaves at its end."""

    def walked(*script: Exchange, start: str = "setup", draft: Draft | None = None, **how: Any) -> Dialogue:
        dialogue = Dialogue(*script, **how)
        assert PlainWizard(services, guides, dialogue).run(start=start, draft=draft) == 0
        dialogue.over()
        return dialogue

    return walked


@pytest.fixture
def answered(services: Services, guides: Guides) -> Look:
    """Walk by a script that ends with 'quit' somewhere in the middle; return the draft as it is then."""

    def walked(*script: Exchange, draft: Draft | None = None) -> Draft:
        dialogue = Dialogue(*script, ("", "quit"), ("Leave now?", "yes"))
        wizard = PlainWizard(services, guides, dialogue)
        assert wizard.run(start="setup", draft=draft) == 0
        dialogue.over()
        return wizard.draft

    return walked


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the look-up of an unknown domain comes to, instead of asking the DNS."""
    return answering(monkeypatch).found
