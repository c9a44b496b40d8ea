"""The steps of the wizard one by one: what each asks, refuses, offers and keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.sandbox.mailbox import messages
from smtp_wizard.engine.secrets.secret_store import Availability, SecretStore
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.text.save import displaces_title, taken_title
from smtp_wizard.text.server import RIGHT
from smtp_wizard.text.wizard import (
    SECRET_LACKING,
    USERNAME_LACKING,
)
from smtp_wizard.widgets.fields import SecretInput, TextInput
from smtp_wizard.widgets.frame import RadioFrame, TextFrame
from tests.support.checking import mendable
from tests.support.discovering import Answer, answering
from tests.support.places import keep_in, seen, sent, skipped, take
from tests.support.redirect import Led, RedirectWire, playing
from tests.support.stores import FailingStore, always, desktop
from tests.support.walk import Walk, in_one_line, make_services, walking

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = Secret("abcd efgh ijkl mnop")
PRACTICE_SERVER = Endpoint("127.0.0.1", 5871, Security.STARTTLS)
PRACTICE = Draft(
    address=Address("ana", "sandbox.test"),
    connection=Connection(
        provider="sandbox", path="accept", sandbox="accept", endpoint=PRACTICE_SERVER, username="ana"
    ),
    origin=Origin.ADDRESS,
    ways=12,
    secret=SECRET,
)
SIGNED_IN = replace(PRACTICE, proof=Proof(NOON, Depth.LOGIN, Verdict.PASS, PRACTICE_SERVER, "ana"))
TO_BE_SAVED = replace(SIGNED_IN, arrival=ReportedArrival.ARRIVED, store=StoreKind.KEYRING)
HOST = "mail.firma.example"
BY_HAND = Draft(
    address=Address("ana", "firma.example"),
    connection=Connection(endpoint=None, provider="custom", path="password", username="ana"),
    origin=Origin.HAND,
    ways=2,
    by_hand=True,
)
"""Goes on at the server, which is still to be entered."""


@pytest.fixture(autouse=True)
def nobody_knows_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The DNS knows no domain, so that the person chooses the provider."""

    answering(monkeypatch)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, backend=desktop(), now=lambda: NOON)


# --- email ---


async def test_a_typo_is_offered_back_and_enter_takes_the_right_one(tmp_path: Path) -> None:
    """'Did you mean gmail.com?' - a second Enter goes on with ana@gmail.com."""
    services = make_services(tmp_path, RedirectWire(Led({}, Trust())))
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@gmial.com")
        await walk.press("enter")
        await walk.until_reads("Did you mean gmail.com?")
        assert walk.step == "address"
        await walk.press("enter")
        await walk.at("provider")
        assert walk.draft.address == Address("ana", "gmail.com")
        await walk.until_reads("Your mail is with Gmail.")


async def test_the_second_answer_keeps_what_looks_like_a_typo(services: Services) -> None:
    """It may be right all the same: the provider is then chosen by hand."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@gmial.com")
        await walk.press("enter")
        await walk.until_reads("No: keep gmial.com")
        await walk.press("down")
        await walk.until_reads("Enter Keep gmial.com")
        await walk.press("enter")
        await walk.at("provider")
        assert walk.draft.address == Address("ana", "gmial.com")
        await walk.until_reads("Who runs your mailbox?")


async def test_the_offer_goes_away_when_another_address_is_typed(services: Services) -> None:
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@gmial.com")
        await walk.press("enter")
        await walk.until_reads("Did you mean")
        await walk.fill("#address", "ana@firma.example")
        await walk.until(lambda: not walk.reads("Did you mean"), "the end of the question")
        await walk.press("enter")
        await walk.at("provider")
        assert walk.draft.address == Address("ana", "firma.example")


FIRST = Candidate(
    endpoint=Endpoint("smtp.firma.example", 465, Security.TLS),
    username="ana@firma.example",
    source=FoundBy.SRV,
    also=(FoundBy.AUTOCONFIG,),
    trust=0.85,
    verified=True,
)
SECOND = replace(FIRST, endpoint=Endpoint("old.firma.example", 587, Security.STARTTLS), trust=0.3, verified=False)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Two servers are found for a domain, of no provider that is known."""
    answer = answering(monkeypatch)
    answer.found |= {
        "candidates": (FIRST, SECOND),
        "source": FoundBy.SRV,
        "note": "from: the domain's DNS (SRV)",
        "notes": ("The sources differ: smtp.firma.example (SRV); old.firma.example (autoconfig).",),
        "problem": None,
    }
    return answer


async def test_servers_that_were_found_are_shown_and_enter_takes_the_likeliest(
    services: Services, found: Answer
) -> None:
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@firma.example")
        await walk.press("enter")
        await walk.at("provider")
        await walk.until_reads("Several servers were found for firma.example.")
        await walk.until_reads("smtp.firma.example, port 465, SSL/TLS")
        await walk.until_reads("The sources differ")
        await walk.press("enter")
        await walk.at("signin")
        assert walk.draft.connection.endpoint == FIRST.endpoint
        assert (walk.draft.connection.username, walk.draft.by_hand) == ("ana@firma.example", False)


async def test_a_domain_that_does_not_exist_stands_under_the_question_and_esc_corrects_the_address(
    services: Services,
) -> None:
    draft = Draft(address=Address("ana", "firm.example"), origin_note="There is no domain firm.example. Is it right?")
    async with walking(services, draft=draft) as walk:
        await walk.at("provider")
        await walk.until_reads("There is no domain firm.example")
        assert walk.shown.index("There is no domain") < walk.shown.index("Find your provider")
        await walk.until_reads("Esc Correct address")
        await walk.until_reads("F9")
        await walk.press("escape")
        await walk.at("address")


async def test_another_server_that_was_found_is_one_arrow_away(services: Services, found: Answer) -> None:
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@firma.example")
        await walk.press("enter")
        await walk.at("provider")
        await walk.press("down", "enter")
        await walk.at("signin")
        assert walk.draft.connection.endpoint == SECOND.endpoint
        await walk.press("escape")
        await walk.at("provider")
        await walk.take_offer(ProviderOffer.HAND)
        await walk.at("signin")
        assert walk.draft.by_hand


async def test_a_public_list_is_asked_after_a_yes(services: Services, found: Answer) -> None:
    listed = replace(FIRST, endpoint=Endpoint("listed.example", 465, Security.TLS), source=FoundBy.ISPDB)
    found.found |= {"candidates": ()}
    found.listed = {"candidates": (listed,), "source": FoundBy.ISPDB}
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@firma.example")
        await walk.press("enter")
        await walk.until_reads("The list learns your domain, never your address.")
        assert [asking.database is not None for asking in found.asked] == [False]
        await walk.press("down", "enter")
        await walk.at("provider")
        await walk.until_reads("listed.example, port 465")
    assert [asking.database is not None for asking in found.asked] == [False, True]


async def test_a_no_keeps_the_domain_from_the_public_list(services: Services, found: Answer) -> None:
    found.found |= {"candidates": ()}
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@firma.example")
        await walk.press("enter")
        await walk.until_reads("learns your domain")
        await walk.press("enter")
        await walk.at("provider")
        await walk.until_reads("Who runs your mailbox?")
    assert [asking.database is not None for asking in found.asked] == [False]


async def test_what_is_no_address_is_said_and_goes_nowhere(services: Services) -> None:
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana")
        await walk.press("enter")
        await walk.until_reads("! An e-mail address has an @ in the middle")
        assert walk.step == "address"


# --- server ---


@dataclass(frozen=True)
class Served:
    """The screens over servers at any name."""

    walk: Walk
    wire: RedirectWire


@asynccontextmanager
async def served(folder: Path, draft: Draft, *, only: frozenset[Security] | None = None) -> AsyncIterator[Served]:
    """Open the screens; servers that take everything answer with the encryptions in `only`, by default with all."""
    async with playing(folder / "practice", "accept") as servers:
        led = servers["accept"]
        kept = {way: there for way, there in led.endpoints.items() if only is None or way in only}
        wire = RedirectWire(Led(kept, led.trust))
        services = make_services(folder, wire, backend=desktop(), limits=TimeLimits(silence=0.1), now=lambda: NOON)
        async with walking(services, draft=draft) as walk:
            yield Served(walk, wire)


async def test_testing_the_server_says_that_no_password_was_checked(tmp_path: Path) -> None:
    """F5 proves server and port, and says that it proved no more."""
    async with served(tmp_path, BY_HAND) as at:
        walk = at.walk
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.take("Try this port only")
        await walk.until_reads(RIGHT)
        assert not walk.reads("Sign in ")
        assert not walk.draft.signed_in
        assert walk.step == "server"
        assert at.wire.asked == [Endpoint(HOST, 465, Security.TLS)]


async def test_a_wrong_security_is_found_and_enter_mends_it_on_the_server_step(tmp_path: Path) -> None:
    """STARTTLS on 465 cannot work: Enter fills in what the finding offers, and that passes."""
    async with served(tmp_path, BY_HAND) as at:
        walk = at.walk
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.choose("#security", Security.STARTTLS)
        await walk.fill("#port", "465")
        await walk.take("Try this port only")
        await walk.until_reads("Enter Use port 465")
        await walk.press("enter")
        await walk.until_reads(RIGHT)
        assert walk.the("#security", RadioFrame).selected == Security.TLS


async def test_a_wrong_security_is_found_and_enter_mends_it_where_the_password_is_typed(tmp_path: Path) -> None:
    """At Connect the cure is what Enter does: it signs in there with the password that stands in the field."""
    wrong = Endpoint(HOST, 465, Security.STARTTLS)
    async with served(tmp_path, replace(BY_HAND, connection=replace(BY_HAND.connection, endpoint=wrong))) as at:
        walk = at.walk
        await walk.at("connect")
        await walk.until_reads("Enter Use SSL/TLS")
        await walk.write(SECRET.reveal())
        assert walk.the("#secret", SecretInput).value == SECRET.reveal()
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        assert walk.draft.connection.endpoint == Endpoint(HOST, 465, Security.TLS)
        assert walk.draft.signed_in


async def test_the_usual_ports_are_tried_and_the_best_one_is_filled_in(tmp_path: Path) -> None:
    """Of each port it is said what it does; only STARTTLS answers here, so 587 is taken."""
    async with served(tmp_path, BY_HAND, only=frozenset({Security.STARTTLS})) as at:
        walk = at.walk
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.press("enter")
        await walk.until_reads("It answers")
        await walk.until_reads("587 STARTTLS")
        assert walk.entry("#port").value == "587"
        assert walk.the("#security", RadioFrame).selected == Security.STARTTLS
        assert {each.port for each in at.wire.asked} == {465, 587, 2525, 25}
        assert not walk.reads("465 SSL/TLS")


async def test_where_no_usual_port_answers_that_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    async with served(tmp_path, BY_HAND, only=frozenset()) as at:
        walk = at.walk
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.fill("#port", "4650")
        await walk.take("Try the usual ports")
        await walk.until_reads("None of the usual ports answers")
        await walk.until_reads("check the server's name with your provider")
        assert walk.entry("#port").value == "4650"


async def test_the_port_follows_the_security_until_somebody_types_another(services: Services) -> None:
    async with walking(services, draft=BY_HAND) as walk:
        await walk.at("server")
        port, security = walk.entry("#port"), walk.the("#security", RadioFrame)
        assert port.value == "465"
        security.focus()
        await walk.press("right")
        assert (security.selected, port.value) == (Security.STARTTLS, "587")
        await walk.fill("#port", "2525")
        security.focus()
        await walk.press("left")
        assert (security.selected, port.value) == (Security.TLS, "2525")


async def test_a_port_that_is_filled_in_with_its_security_stays(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer of port 25 with STARTTLS is no person's choice of STARTTLS, which would lead to 587."""
    monkeypatch.setattr(services.checks, "check_draft", mendable(Endpoint(HOST, 25, Security.STARTTLS)))
    async with walking(services, draft=BY_HAND) as walk:
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.take("Try this port only")
        await walk.until_reads("Enter Use port 25")
        await walk.press("enter")
        await walk.until_reads(RIGHT)
        await walk.settle()
        assert walk.the("#security", RadioFrame).selected == Security.STARTTLS
        assert walk.entry("#port").value == "25"


NO_PORT = "from 1 to 65535"


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [("#host", "two words", "no blanks"), ("#port", "abc", NO_PORT), ("#port", "70000", NO_PORT)],
)
async def test_what_is_no_server_or_port_is_said_in_its_frame(
    services: Services, field: str, typed: str, why: str
) -> None:
    """The cursor goes there; the step is not left."""
    async with walking(services, draft=BY_HAND) as walk:
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.fill(field, typed)
        await walk.take("Use this server")
        assert walk.step == "server"
        assert walk.app.focused is walk.entry(field)
        assert why in walk.the(field, TextFrame).entry.error


async def give_unencrypted_server(walk: Walk, host: str) -> None:
    await walk.at("server")
    await walk.fill("#host", host)
    await walk.choose("#security", Security.NONE)
    await walk.take("Use this server")


async def test_a_password_without_encryption_needs_a_yes(services: Services) -> None:
    """The careful answer is chosen at first, and leaves the person at the server."""
    async with walking(services, draft=BY_HAND) as walk:
        await give_unencrypted_server(walk, "127.0.0.1")
        await walk.at_screen(QuestionPanel)
        await walk.until_reads("everybody between this computer and")
        assert "127.0.0.1:25 can read your password" in in_one_line(walk.shown.replace("│", " "))
        await walk.press("enter")
        await walk.at("server")
        assert not walk.draft.connection.allow_cleartext
        await walk.press("enter")
        await walk.at_screen(QuestionPanel)
        await walk.press("down")
        await walk.until_reads("Enter Yes")
        await walk.press("enter")
        await walk.at("connect")
        assert walk.draft.connection.allow_cleartext


async def test_the_yes_holds_for_that_server_alone(services: Services) -> None:
    """Back and forth it is not asked again; for another server it is."""
    async with walking(services, draft=BY_HAND) as walk:
        await give_unencrypted_server(walk, "127.0.0.1")
        await walk.at_screen(QuestionPanel)
        await walk.press("down", "enter")
        await walk.at("connect")
        await walk.press("escape")
        await walk.at("server")
        await walk.press("enter")
        await walk.at("connect")
        await walk.press("escape")
        await walk.at("server")
        await walk.fill("#port", "2525")
        await walk.take("Use this server")
        await walk.at_screen(QuestionPanel)
        await walk.until_reads("127.0.0.1:2525")


async def test_no_user_name_means_no_sign_in_and_no_question_about_a_password(services: Services) -> None:
    async with walking(services, draft=BY_HAND) as walk:
        await walk.at("server")
        await walk.fill("#username", "")
        await give_unencrypted_server(walk, "127.0.0.1")
        await walk.at("connect")
        await walk.until_reads("Does the server answer?")
        assert (walk.connect.username, walk.connect.secret) == (None, None)


# --- connect ---


async def test_what_is_missing_for_the_sign_in_is_said_and_nothing_is_sent(tmp_path: Path) -> None:
    draft = replace(BY_HAND, connection=replace(BY_HAND.connection, endpoint=Endpoint(HOST, 465, Security.TLS)))
    async with served(tmp_path, draft) as at:
        walk = at.walk
        await walk.at("connect")
        await walk.until(lambda: len(at.wire.asked) == 1, "the check without a password")
        await walk.press("enter")
        await walk.until_reads(SECRET_LACKING)
        await walk.write("abcd efgh ijkl mnop")
        await walk.fill("#username", "")
        await walk.press("enter")
        assert walk.connect.username is not None
        assert walk.connect.username.error == USERNAME_LACKING
        assert len(at.wire.asked) == 1


async def test_blanks_around_a_password_are_told_and_left(services: Services) -> None:
    async with walking(services, draft=replace(PRACTICE, secret=None)) as walk:
        await walk.at("connect")
        await walk.write("password ")
        assert "a blank at its beginning or end" in walk.connect.doubt
        assert walk.the("#secret", SecretInput).value == "password "


async def test_another_password_after_a_success_has_to_be_proved_again(services: Services) -> None:
    """What Enter does is to sign in again, from the first key on."""
    async with walking(services, draft=PRACTICE) as walk:
        await walk.at("connect")
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        await walk.write(" ")  # blanks do not matter to the practice server
        assert not walk.draft.signed_in
        assert not walk.reads("Enter Send a test")
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        assert walk.step == "connect"


# --- test mail ---


@pytest.mark.parametrize("typed", ["ana@sandbox.test", "ANA@Sandbox.Test"])
async def test_mail_to_oneself_is_refused_with_the_reason(services: Services, typed: str) -> None:
    """However it is spelt; nothing is sent."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await walk.at("testmail")
        await walk.write(typed)
        await walk.press("enter")
        await walk.until_reads("is the mailbox that sends")
        assert walk.step == "testmail"
        assert walk.the("#to", TextInput).value == typed
    assert messages(services.folder / PRACTICE_FOLDER) == ()


async def test_mail_that_has_not_arrived_yet_gets_advice_and_can_be_sent_again(services: Services) -> None:
    """'Nothing yet' says where to look, and leads on; 'send it elsewhere' goes back to the address."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await sent(walk)
        await walk.press("up", "enter")
        await walk.until_reads("Sent just now, and not there")
        assert walk.draft.arrival is ReportedArrival.NOT_YET
        await walk.press("down", "enter")
        await walk.until_reads("Where should the test message go?")
        assert walk.app.focused is walk.the("#to", TextInput)
        await walk.press("enter")
        await walk.until(lambda: len(messages(services.folder / PRACTICE_FOLDER)) == 2, "a second message")


async def test_nothing_is_taken_for_granted_while_no_word_is_typed(services: Services) -> None:
    """Once the inbox was opened, Enter asks for the word; another one is said at the field; the right one leads on."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await sent(walk)
        await walk.press("enter")
        await walk.until_reads("The practice inbox")
        await walk.press("enter")
        await walk.until_reads("Type the word that is in the message")
        await walk.write("nonsense")
        await walk.press("enter")
        await walk.until_reads("That is not the word.")
        await walk.fill("#to", "")
        await seen(walk)
        await walk.at("review")
        assert walk.draft.arrival is ReportedArrival.ARRIVED


async def test_one_key_opens_the_practice_inbox(services: Services) -> None:
    """The word that stands there is the one to type, and typing it means the field again."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await sent(walk)
        await walk.press("enter")
        await walk.until_reads(f"Subject: smtp-wizard test {walk.draft.test_word}")
        await seen(walk)
        await walk.at("review")


# --- save ---


async def pick(walk: Walk, selector: str, answer: object) -> None:
    """Choose one of the words in a frame with the arrows."""
    frame = walk.the(selector, RadioFrame)
    frame.focus()
    for _ in frame.options:
        if frame.selected == answer:
            return
        await walk.press("right")
    raise AssertionError(f"there is no {answer}")


async def test_a_second_account_for_all_mail_displaces_the_first_only_after_asking(services: Services) -> None:
    """The careful answer makes this one an account for general mail; the other stays what it is."""
    await services.accounts.save(replace(PRACTICE, name="First", scope=Scope.ALL, store=StoreKind.SESSION))
    async with walking(services, draft=replace(TO_BE_SAVED, name="Second")) as walk:
        await walk.at("review")
        await pick(walk, "#scope", Scope.ALL)
        await walk.press("enter")
        await walk.until_reads(displaces_title("First"))
        await walk.press("enter")
        await walk.until_reads("Save it like this?")
        assert walk.the("#scope", RadioFrame).selected == Scope.GENERAL
        assert {each.name: each.scope for each in services.saved_accounts.list()} == {"First": Scope.ALL}
        await pick(walk, "#scope", Scope.ALL)
        await walk.press("enter")
        await walk.until_reads(displaces_title("First"))
        await walk.press("down", "enter")
        await walk.at("done")
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {
        "First": Scope.GENERAL,
        "Second": Scope.ALL,
    }


async def test_replacing_an_account_asks_first(services: Services) -> None:
    """No: type another name. Yes: there is one account of that name, the new one."""
    await services.accounts.save(
        replace(
            PRACTICE, name="Office", store=StoreKind.SESSION, identity=replace(PRACTICE.identity, sender_name="Old")
        )
    )
    async with walking(
        services, draft=replace(TO_BE_SAVED, name="Office", identity=replace(TO_BE_SAVED.identity, sender_name="New"))
    ) as walk:
        await walk.at("review")
        await walk.press("enter")
        await walk.until_reads(taken_title("Office"))
        await walk.press("enter")
        await walk.until_reads("Type another name.")
        assert [each.identity.sender_name for each in services.saved_accounts.list()] == ["Old"]
        assert walk.app.focused is walk.the("#name", TextInput)
        await walk.press("enter")
        await walk.until_reads(taken_title("Office"))
        await walk.press("down", "enter")
        await walk.at("done")
    assert [(each.name, each.identity.sender_name) for each in services.saved_accounts.list()] == [("Office", "New")]


class KeyringRefuses(SecretStores):
    """Every store there is; the keyring is there, and takes nothing."""

    def get(self, kind: StoreKind) -> SecretStore:
        return Refusing() if kind is StoreKind.KEYRING else super().get(kind)


class Refusing(FailingStore):
    """Says that it works until something is put into it."""

    async def probe(self) -> Availability:
        return Availability(True, "It looks as if it worked.", unattended=False)


async def test_a_store_that_refuses_keeps_everything_that_was_typed(tmp_path: Path) -> None:
    """What went wrong stands above the other places; one of them saves it after all."""
    stores = KeyringRefuses({}, backend_factory=always(desktop()))
    services = make_services(tmp_path, stores=stores, now=lambda: NOON)
    async with walking(services, draft=TO_BE_SAVED) as walk:
        await walk.at("review")
        await walk.fill("#name", "Shop")
        await walk.fill("#sender-name", "Ana's Cleaning")
        await pick(walk, "#scope", Scope.ALL)
        await pick(walk, "#company", True)
        await walk.press("enter")
        await walk.until_reads("This store fails on purpose.")
        await walk.until_reads("Where should the password be kept?")
        assert services.saved_accounts.list() == ()
        assert walk.draft.secret == SECRET
        await take(walk, StoreKind.SESSION)
        await walk.until_reads("Password kept nowhere")
        values = {name: walk.the(name, TextInput).value for name in ("#name", "#sender-name")}
        assert values == {"#name": "Shop", "#sender-name": "Ana's Cleaning"}
        await walk.press("enter")
        await walk.at("done")
    (account,) = services.saved_accounts.list()
    assert (account.name, account.identity.update_company, account.scope) == ("Shop", True, Scope.ALL)
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION


async def test_what_was_chosen_is_carried_into_the_applications_screen(services: Services) -> None:
    """General or all, and Update Company Email, stand in the screen that is filled in at the end."""
    async with walking(services, draft=TO_BE_SAVED) as walk:
        await walk.at("review")
        await pick(walk, "#scope", Scope.ALL)
        await pick(walk, "#company", True)
        await walk.press("enter")
        await walk.at("done")
        await walk.until_reads("( ) General Emails Only (•) For All Emails")
        await walk.until_reads("[x] Update Company Email")
        await walk.until_reads("[x] Enable SSL/TLS")


async def test_each_value_can_be_copied_by_itself(services: Services) -> None:
    """The third answer lists them; Esc leads back to what stood there."""
    async with walking(services, draft=TO_BE_SAVED) as walk:
        await walk.at("review")
        await walk.press("enter")
        await walk.at("done")
        await walk.press("down", "down", "enter")
        await walk.until_reads("Which value do you want to copy?")
        await walk.press("enter")
        await walk.until_reads("Server is sent to your terminal: 127.0.0.1")
        assert walk.app.clipboard == "127.0.0.1"
        await walk.press("escape")
        await walk.until_reads("It works")
        assert walk.step == "done"


async def test_a_name_that_cannot_be_used_is_said(services: Services) -> None:
    async with walking(services, draft=TO_BE_SAVED) as walk:
        await walk.at("review")
        await walk.fill("#name", "a/b")
        await walk.press("enter")
        await walk.until_reads("no slash")
        assert walk.step == "review"
    assert services.saved_accounts.list() == ()


# --- back, and forth again ---


async def test_a_bad_address_is_still_there_after_escape(services: Services) -> None:
    """There is nothing before the first question: it stays, with what was typed."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@@firma")
        assert not walk.reads("Esc Back"), "a key that does nothing is not named"
        await walk.press("escape")
        assert walk.step == "address"
        assert walk.the("#address", TextInput).value == "ana@@firma"


async def test_a_bad_port_is_still_there_when_one_comes_back(services: Services) -> None:
    """'abc' is no port, and still what was typed."""
    async with walking(services, draft=BY_HAND) as walk:
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.fill("#port", "abc")
        await walk.fill("#sender", "no address")
        await walk.press("escape")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("server")
        values = [walk.entry(name).value for name in ("#host", "#port", "#username", "#sender")]
        assert values == [HOST, "abc", "ana", "no address"]


async def test_bad_answers_of_the_last_steps_are_still_there_when_one_comes_back(services: Services) -> None:
    """A recipient that is none, a name with a slash in it."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await walk.at("testmail")
        await walk.write("ben@")
        await skipped(walk)
        await walk.at("review")
        await walk.fill("#name", "a/b")
        await pick(walk, "#company", True)
        await walk.press("escape")
        await walk.at("testmail")
        assert walk.the("#to", TextInput).value == "ben@"
        await skipped(walk)
        await walk.at("review")
        assert walk.the("#name", TextInput).value == "a/b"
        assert walk.the("#company", RadioFrame).selected is True


async def test_a_test_that_was_left_out_has_no_tick_in_the_line_of_steps(services: Services) -> None:
    """Before, it is to come; and a message that was seen has its tick."""
    async with walking(services, draft=SIGNED_IN) as walk:
        await walk.at("testmail")
        await walk.until_reads("● Test")
        await skipped(walk)
        await walk.at("review")
        await walk.until_reads("✓ Connect   – Test   ● Save")
        await walk.press("escape")
        await walk.at("testmail")
        await walk.until_reads("● Test")
    async with walking(services, draft=replace(SIGNED_IN, arrival=ReportedArrival.ARRIVED)) as walk:
        await walk.at("review")
        await walk.until_reads("✓ Test   ● Save")


async def test_through_all_steps_and_all_the_way_back_nothing_is_lost(services: Services) -> None:
    """Forward to the review, back to the first question, forward again: no answer has to be given twice."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.press("f3")
        await walk.at("signin")
        await walk.press("escape")
        await walk.at("provider")
        await walk.take_offer(ProviderOffer.HAND)
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("server")
        await walk.fill("#username", "somebody")
        await walk.fill("#sender", "shop@sandbox.test")
        await walk.take("Use this server")
        await walk.at("connect")
        await walk.write(SECRET.reveal())
        await walk.press("f6", "enter", "escape", "enter")
        await walk.until_reads("Enter Send a test")
        await walk.press("enter")
        await walk.at("testmail")
        await walk.write("ben@elsewhere.example")
        await skipped(walk)
        await walk.at("review")
        await walk.fill("#name", "Shop")
        await walk.fill("#sender-name", "Ana's Cleaning")
        await keep_in(walk, StoreKind.ENV)
        await walk.fill("#way", "SHOP_SECRET")
        await walk.press("enter")
        await walk.until_reads("Password in a variable that you set")
        forward = walk.draft

        steps = ["testmail", "connect", "server", "signin", "provider", "address"]
        for step in steps:
            await walk.press("escape")
            await walk.at(step)
        for step in [*reversed(steps[:-2]), "review"]:  # practice has no question for the provider
            if step == "review":
                await walk.press("down", "enter")
            else:
                await walk.press("enter")
            await walk.at(step)
            if step == "connect":
                assert walk.the("#secret", SecretInput).value == SECRET.reveal()
                await walk.until_reads("Enter Send a test")
            elif step == "testmail":
                assert walk.the("#to", TextInput).value == "ben@elsewhere.example"
        assert walk.the("#name", TextInput).value == "Shop"
        assert walk.the("#sender-name", TextInput).value == "Ana's Cleaning"
        assert (walk.draft.store, walk.draft.env_name) == (StoreKind.ENV, "SHOP_SECRET")
        after = walk.draft
        for kept in ("address", "connection", "secret", "ticks", "proof"):
            assert getattr(after, kept) == getattr(forward, kept), kept
        assert after.identity.sender == forward.identity.sender
        assert after.connection.username == "somebody"
        assert after.ticks


async def test_a_guide_names_another_by_its_title_at_the_sign_in_too(tmp_path: Path) -> None:
    """F6 on a way that was closed: what replaced it is no file's name."""
    services = make_services(tmp_path, RedirectWire(Led({}, Trust())))
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@gmail.com")
        await walk.press("enter")
        await walk.at("provider")
        await walk.press("enter")
        await walk.at("signin")
        await walk.press("down", "down", "down", "down", "f6")
        await walk.until_reads("without a phone number instead. The guide '")
        assert not walk.reads("gmail-no-phone")
