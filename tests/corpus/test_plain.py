"""The whole way of the wizard in lines of text, to the letter."""

from __future__ import annotations

import os
from pathlib import Path

from smtp_wizard.engine.guides.guides import GuideShelf
from smtp_wizard.launch import build_desk
from smtp_wizard.plain.walk import PlainWizard
from tests.corpus.test_corpus import EXPECTED, steady
from tests.support.dialogue import Dialogue, Exchange

SCRIPT: tuple[Exchange, ...] = (
    ("E-mail address", "you@sandbox.test"),
    ("Yes, go on", ""),
    ("What do you want to practise?", "accept"),
    ("User name", ""),
    ("Practice password", "correct horse battery"),
    ("", "bob@example.org"),
    ("", "1"),
    ("Account name", ""),
    ("Sender's name", ""),
    ("Use it for:", ""),
    ("In the application:", ""),
    ("Keep the password in:", "session"),
    ("now? 1. Save", ""),
    ("What next? 1. Finish", ""),
    ("Your accounts", "leave"),
)


def test_the_wizard_asks_what_it_asked(own_home: Path) -> None:
    folder = own_home / "config"
    dialogue = Dialogue(*SCRIPT)
    assert PlainWizard(build_desk(folder, {}), GuideShelf(), dialogue).run(start="setup", draft=None) == 0
    dialogue.over()
    found = steady(dialogue.said, folder) + "\n"
    file = EXPECTED / "plain.txt"
    if os.environ.get("UPDATE_CORPUS") == "1":
        file.write_text(found, "utf-8")
    assert found == file.read_text("utf-8")
