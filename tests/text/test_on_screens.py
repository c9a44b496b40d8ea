"""What a screen says of a command: it names the area that does the same; what an option alone could do is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from smtp_wizard.cli import COMMANDS
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.mailbox.findings import _WORDS
from smtp_wizard.screens.menu import ITEMS
from smtp_wizard.text.areas.on_screens import AREAS, on_screens, steps_on_screens

COMMAND = re.compile(r"smtp-wizard [a-z]|on the command line")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("There are more. Ask for a shorter time: --since 3d.", "There are more."),
        ("Name it: --imap HOST[:PORT].", ""),
        ("It is in Junk: 'smtp-wizard domain' says why.", "It is in Junk: 'Your domain' says why."),
        ("Look through it with 'smtp-wizard unsubscribe --check FILE'.", "Look through it with 'Unsubscribe link'."),
        ("Paste it into smtp-wizard explain.", "Paste it into 'Explain an error'."),
        ("Save it: smtp-wizard accounts password ACCOUNT.", "Save it: 'New password' at 'Your accounts'."),
        ("Choose 'Try anyway' (on the command line: --ignore-lockout). Or wait.", "Choose 'Try anyway'. Or wait."),
        ("Run 'smtp-wizard doctor --clean' now.", ""),
        ("Try 'swaks --server HOST:587 --tls' once.", "Try 'swaks --server HOST:587 --tls' once."),
        ("Another smtp-wizard has been writing to it.", "Another smtp-wizard has been writing to it."),
    ],
)
def test_an_area_is_named_in_the_place_of_a_command_and_an_option_is_left_out(words: str, told: str) -> None:
    assert on_screens(words) == told
    assert steps_on_screens([words, "Wait."]) == ((told, "Wait.") if told else ("Wait.",))


def test_areas_are_called_as_in_the_menu_and_commands_are_there() -> None:
    assert set(AREAS.values()) <= {each.verb for each in ITEMS}
    assert {each.split()[0] for each in AREAS} <= set(COMMANDS)


def words_in(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for each in node.values():
                yield from words_in(each)
        case list():
            for each in node:
                yield from words_in(each)
        case str():
            yield node


def known_words() -> Iterator[str]:
    """Yield the words of all findings, and of what receivers ask for."""
    for file in ("diagnosis.yaml", "bulk_senders.yaml"):
        yield from words_in(yaml.safe_load(data_path(file).read_text("utf-8")))
    for fault in _WORDS.values():
        yield from (fault.title, fault.explanation, *fault.steps)


def test_no_finding_sends_anybody_from_a_screen_to_the_command_line() -> None:
    assert [each for each in map(on_screens, known_words()) if COMMAND.search(each)] == []
    assert [each for each in known_words() if COMMAND.search(each)], "there are some that do, where they are written"
