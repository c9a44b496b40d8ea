"""The whole way of the wizard in lines of text, to the letter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.launch import build_services
from smtp_wizard.plain.wizard import PlainWizard
from tests.corpus.test_corpus import EXPECTED, steady
from tests.support.codeword import WORD, always_the_same
from tests.support.dialogue import Dialogue, Exchange

SCRIPT: tuple[Exchange, ...] = (
    ("E-mail address", "you@sandbox.test"),
    ("What do you want to practise?", "accept"),
    ("Practice password", "abcdefgh ijklmnop"),
    ("", "bob@example.org"),
    ("", WORD),
    ("Name of the account", ""),
    ("What should ServiceMonster send", ""),
    ("Update Company Email:", ""),
    ("Sender's name", ""),
    ("Save it like this?", "place"),
    ("Where should the password be kept?", "session"),
    ("Save it like this?", ""),
    ("What next? 1. It works", ""),
    ("Your accounts", "leave"),
)


def test_the_wizard_asks_what_it_asked(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_the_same(monkeypatch)
    folder = own_home / "config"
    dialogue = Dialogue(*SCRIPT)
    assert PlainWizard(build_services(folder, {}), Guides(), dialogue).run(start="setup", draft=None) == 0
    dialogue.over()
    found = steady(dialogue.said, folder) + "\n"
    file = EXPECTED / "plain.txt"
    if os.environ.get("UPDATE_CORPUS") == "1":
        file.write_text(found, "utf-8")
    assert found == file.read_text("utf-8")
