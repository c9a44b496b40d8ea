"""What the wizard in lines of text asks at each step, with an answer: walks of tests are made of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.wizard.draft import Draft, Origin
from tests.support.codeword import WORD
from tests.support.dialogue import Dialogue, Exchange
from tests.support.nouns import with_fields

PASSWORD, WRONG = "abcdefgh ijklmnop", "my usual password"
"""The practice password, with blanks where it is shown nowhere."""
EMAIL: Exchange = ("E-mail address:", "practise")
SECRET: Exchange = ("not shown:", PASSWORD)
SEND: Exchange = ("Another address that you read:", "bob@example.org")
ARRIVED: Exchange = ("Which code word is in the message?", WORD)
NAME: Exchange = ("Name of the account [Practice you]:", "")
SENDER: Exchange = ("Sender's name", "")
SCOPE: Exchange = ("What should ServiceMonster send with it?", "")
COMPANY: Exchange = ("Update Company Email:", "")
PLACE: Exchange = ("Save it like this?", "place")
STORE: tuple[Exchange, ...] = (PLACE, ("Where should the password be kept?", "session"))
SAVE: Exchange = ("Save it like this? 1. Save", "")
FINISH: Exchange = ("What next? 1. It works", "")
LEAVE: Exchange = ("Your accounts", "leave")
REVIEW = (NAME, SCOPE, COMPANY, SENDER, *STORE, SAVE)


def practising(path: str) -> Exchange:
    """Choose what the practice server plays."""
    return "What do you want to practise?", path


TO_CONNECT = (EMAIL, practising("accept"))
TO_TESTMAIL = (*TO_CONNECT, SECRET)
TO_REVIEW = (*TO_TESTMAIL, SEND, ARRIVED)
TO_DONE = (*TO_REVIEW, *REVIEW)
Walk = Callable[..., Dialogue]
Look = Callable[..., Draft]


def at_server(draft: Draft | None = None, **changes: Any) -> Draft:
    """A draft that goes on at the server's settings, by hand."""
    custom = next(each for each in load_catalog().providers if each.id == "custom")
    begun = Draft().with_address(Address("ana", "firm.example"))
    found = begun.with_provider(custom, Origin.HAND)
    return with_fields(found.with_path(custom.paths[0]), **changes)


AT_GMAIL: tuple[Exchange, ...] = (("E-mail address:", "ana@gmail.com"), ("Which application will send?", ""))
BETTER = Endpoint("127.0.0.1", 465, Security.TLS)


def saved_once(walk: Walk, scope: str = "") -> None:
    walk(*TO_REVIEW, NAME, (SCOPE[0], scope), COMPANY, SENDER, *STORE, SAVE, FINISH, LEAVE)
