"""A fault of the program's own: wherever it happens, a sentence on that screen; keys go on, nothing typed is lost."""

from __future__ import annotations

import ast
import asyncio
import errno
import importlib
import inspect
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

import pytest
from textual.message_pump import MessagePump
from textual.widgets import Input

import smtp_wizard
from smtp_wizard.app import HOME, SCREENS
from smtp_wizard.app_areas import AreasApp
from smtp_wizard.app_faults import FaultScreen
from smtp_wizard.engine.accounts import saved_accounts
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.sandbox.mailbox import deliver
from smtp_wizard.engine.secrets.keyring import KeyringStore
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER, Checks
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.accounts import edits
from smtp_wizard.flows.accounts.account_list import AccountsFlow
from smtp_wizard.flows.address import AddressFlow
from smtp_wizard.flows.areas.bounces import BouncesFlow
from smtp_wizard.flows.areas.calendar import CalendarFlow
from smtp_wizard.flows.areas.domain import DomainFlow
from smtp_wizard.flows.areas.inbox import InboxFlow
from smtp_wizard.flows.areas.limits import LimitsFlow
from smtp_wizard.flows.areas.mailing import MailingFlow
from smtp_wizard.flows.areas.readiness import ReadinessFlow
from smtp_wizard.flows.areas.unsubscribe import LinkField, LinkFlow
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.runtime.fault_log import CRASH_LOG
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.bounces import BouncesScreen
from smtp_wizard.screens.areas.calendar import CalendarScreen
from smtp_wizard.screens.areas.domain import DomainScreen
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.areas.inbox import InboxScreen
from smtp_wizard.screens.areas.limits import LimitsScreen, MailingScreen
from smtp_wizard.screens.areas.readiness import ReadinessScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.guide import StepsPanel
from smtp_wizard.screens.menu import MenuPanel
from smtp_wizard.screens.panel import HelpPanel, Panel, PanelBox, QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import PlainText
from tests.support.places import (
    GOOD,
    PASSWORD,
    PLACES,
    TEST_TO,
    Go,
    Place,
    at_address,
    at_client,
    at_connect,
    at_home,
    at_server,
    at_signin,
    at_testmail,
    draft_at_connect,
    draft_at_oauth,
    draft_at_server,
    draft_at_signin,
    draft_at_testmail,
    sent,
    skipped,
    standing,
)
from tests.support.walk import Walk, until

pytestmark = pytest.mark.usefixtures("any_password")

SECRET = "correct horse battery"


def endless(depth: int = 0) -> int:
    """Recurse until the interpreter says no."""
    return endless(depth + 1) + 1


def raised(kind: str) -> None:
    """Fail in one of the ways in which anything may."""
    password = SECRET
    match kind:
        case "a bug":
            raise ZeroDivisionError(f"cannot use {password}")
        case "the system":
            raise OSError(errno.ENOSPC, f"no room for {password}", password)
        case "no memory":
            raise MemoryError(password)
        case "nested":
            endless()
        case "cancelled":
            raise asyncio.CancelledError(password)


SAID = {
    "a bug": "smtp-wizard met a fault of its own here (ZeroDivisionError).",
    "the system": "The system refused what was needed here: No space left on device.",
    "no memory": "There was not enough memory for this.",
    "nested": "This is nested too deeply for smtp-wizard.",
    "cancelled": "What smtp-wizard waited for ended without an answer.",
}


@dataclass
class Service:
    """Part of the engine, which fails where it is asked for something."""

    owner: object
    name: str
    when: Callable[..., bool] = lambda *_, **__: True
    """Which calls fail; the others are answered as ever."""
    kind: str = ""
    calls: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        original: Callable[..., Any] = getattr(self.owner, self.name)

        def fails(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
            if not self.kind or not self.when(*arguments, **named):
                return False
            self.calls += 1
            return True

        async def later(*arguments: Any, **named: Any) -> Any:
            if fails(arguments, named):
                await asyncio.sleep(0)
                raised(self.kind)
            return await original(*arguments, **named)

        def at_once(*arguments: Any, **named: Any) -> Any:
            if fails(arguments, named):
                raised(self.kind)
            return original(*arguments, **named)

        patch.setattr(self.owner, self.name, later if inspect.iscoroutinefunction(original) else at_once)


@dataclass(frozen=True)
class Work:
    """Background work of a screen: how it is begun, and which part of the engine it asks."""

    place: Place
    begin: Go
    service: Callable[[], Service]
    typed: Mapping[str, str] = field(default_factory=dict)
    """What stands in fields, by their selectors, before and after."""


def of(owner: object, name: str, depth: Depth | None = None) -> Callable[[], Service]:
    """Return a method of a service; with a `depth`, only where a check goes that far."""
    if depth is None:
        return lambda: Service(owner, name)
    return lambda: Service(owner, name, lambda *arguments, **_: arguments[2] is depth)


def press(*keys: str) -> Go:
    async def pressed(walk: Walk) -> None:
        await walk.press(*keys)

    return pressed


def filled(go: Go, fields: Mapping[str, str]) -> Go:
    """Type into fields of a place."""

    async def there(walk: Walk) -> None:
        await go(walk)
        for selector, text in fields.items():
            await walk.fill(selector, text)

    return there


def acting(action: str, *then: Go) -> Go:
    """Choose what to do with the first account."""

    async def chosen(walk: Walk) -> None:
        await walk.press("enter")
        await walk.at_screen(QuestionPanel)
        await take(walk, action)
        for go in then:
            await go(walk)

    return chosen


async def take(walk: Walk, offer: str) -> None:
    """Take one of the offers on the screen that is shown."""
    mark(walk, offer)
    await walk.press("enter")


def mark(walk: Walk, offer: str) -> None:
    """Give the mark to one of the offers on the screen that is shown."""
    offers = walk.the("OfferList", OfferList)
    while offers.move(-1):
        pass
    while offers.selected is None or offers.selected.id != offer:
        assert offers.move(1), f"{offer} is not offered"


async def name_it_anew(walk: Walk) -> None:
    await walk.at_screen(FlowPanel)
    await walk.write("x")
    await walk.press("enter")


async def type_a_password(walk: Walk) -> None:
    await walk.at_screen(FlowPanel)
    await walk.write(PASSWORD)
    await walk.press("enter")


async def sure(walk: Walk) -> None:
    """Say yes to the question of an account's action."""
    await walk.at_screen(FlowPanel)
    await walk.press("down", "enter")


async def to_another_place(walk: Walk) -> None:
    await walk.at_screen(FlowPanel)
    await take(walk, StoreKind.SESSION)


async def at_explaining(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("f10", "x")
    screen = await walk.at_screen(ExplainScreen)
    screen.area.text = "535 5.7.8 Username and Password not accepted"


async def at_limits(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("f10", "l")
    await walk.at_screen(LimitsScreen)


async def at_a_mailing(walk: Walk) -> None:
    await at_limits(walk)
    await walk.press("enter")
    await walk.at_screen(MailingScreen)
    await walk.write("500")


async def at_readiness(walk: Walk) -> None:
    await at_a_mailing(walk)
    await walk.press("f5")
    await walk.at_screen(ReadinessScreen)


async def at_unsubscribe(walk: Walk) -> None:
    await at_home(walk)
    template = walk.app.context.services.folder / "letter.html"
    template.write_text("<a href=x>", "utf-8")
    walk.app.push_screen(UnsubscribeScreen(walk.app.context))
    screen = await walk.at_screen(UnsubscribeScreen)
    screen.frames[LinkField.TEMPLATE].field.value = str(template)
    screen.frames[LinkField.TEMPLATE].field.focus()


async def at_inbox(walk: Walk) -> None:
    await at_home(walk)
    (walk.app.context.services.folder / PRACTICE_FOLDER).mkdir(parents=True, exist_ok=True)
    deliver(walk.app.context.services.folder / PRACTICE_FOLDER, b"Subject: Hello\n\nx\n")
    walk.app.push_screen(InboxScreen(walk.app.context))
    screen = await walk.at_screen(InboxScreen)
    await walk.until(lambda: screen.list.list, "the message")


async def at_a_domain(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("f10", "d")
    await walk.at_screen(DomainScreen)
    await walk.write("firm.example")


async def at_what_came_back(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("f10", "b")
    await walk.at_screen(BouncesScreen)


async def at_what_will_end(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("f10", "e")
    screen = await walk.at_screen(CalendarScreen)
    await walk.until(lambda: screen.flow.state.read, "what was read")


async def back_and_on(walk: Walk) -> None:
    """Go to the step before and come again, if one stands at the last."""
    if walk.step == "review":
        await walk.press("escape")
        await walk.at("testmail")
    await skipped(walk)


async def one_to_test(walk: Walk) -> None:
    screen = await walk.at_screen(HomeScreen)
    screen.test_account(screen.flow.state.rows[0].name)


async def the_menu_over_many(walk: Walk) -> None:
    """Open it where counting the accounts takes a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_accounts, "QUICKLY_READ", 0)
        await walk.press("f10")


def changed(place: str, go: Go) -> Place:
    return replace(PLACES[place], go=go)


AT_HOME = Place(at_home, start=HOME)
ADDRESS, HOST, TO = {"#address": "ana@unknown.example"}, {"#host": "mail.firma.example"}, {"#to": str(TEST_TO)}
CLIENT = {"#client-id": "1234.apps.example", "#client-secret": "quiet-as-a-mouse"}
PASSWORD_TYPED = {"#secret": PASSWORD.replace(" ", "")}
AT_SERVER = Place(filled(at_server, HOST), draft_at_server)
AT_CLIENT = Place(filled(at_client, CLIENT), draft_at_oauth)

WORK: Mapping[str, Work] = {
    "StepPage.act: address": Work(
        Place(filled(at_address, ADDRESS)), press("enter"), of(Discovery, "find_settings"), typed=ADDRESS
    ),
    "StepPage.act": Work(AT_SERVER, press("enter"), of(Scans, "probe"), typed=HOST),
    "StepPage.act: connect": Work(
        Place(filled(at_connect, PASSWORD_TYPED), draft_at_connect, GOOD),
        press("enter"),
        of(Checks, "check_draft", Depth.LOGIN),
        typed=PASSWORD_TYPED,
    ),
    "UnlockingPage.act: testmail": Work(
        Place(filled(at_testmail, TO), draft_at_testmail),
        press("enter"),
        of(Checks, "check_draft", Depth.SEND),
        typed=TO,
    ),
    "SaveScreen._begin": Work(
        Place(at_testmail, draft_at_testmail), back_and_on, lambda: Service(KeyringStore, "probe")
    ),
    "UnlockingPage.act: review": Work(
        changed("review", filled(PLACES["review"].go, {"#name": "Mine"})),
        press("enter"),
        of(Accounts, "save"),
        typed={"#name": "Mine"},
    ),
    "HomeScreen._read": Work(
        AT_HOME, one_to_test, lambda: Service(AccountsFlow, "reload", lambda _, name="": bool(name))
    ),
    "AccountsPage._read_accounts": Work(AT_HOME, press("f10", "d"), of(DomainFlow, "read_accounts")),
    "AreasApp._count_accounts": Work(AT_HOME, the_menu_over_many, of(AreasApp, "_accounts_words")),
    "HomeScreen.act": Work(AT_HOME, press("t"), of(Checks, "check_account")),
    "HomeScreen.act: edit": Work(AT_HOME, press("e"), of(edits, "draft_of")),
    "HomeScreen.act: copy": Work(AT_HOME, acting("copy"), of(edits, "copy_of")),
    "HomeScreen.act: scope": Work(AT_HOME, acting("scope"), of(Accounts, "set_scope")),
    "HomeScreen.act: move": Work(AT_HOME, acting("move"), lambda: Service(KeyringStore, "probe")),
    "FlowPanel._take: rename": Work(AT_HOME, acting("rename", name_it_anew), of(Accounts, "rename")),
    "FlowPanel._take: password": Work(AT_HOME, acting("password", type_a_password), of(Accounts, "replace_secret")),
    "FlowPanel._take: move": Work(AT_HOME, acting("move", to_another_place), of(Accounts, "move")),
    "FlowPanel._take: delete": Work(AT_HOME, acting("delete", sure), of(Accounts, "remove")),
    "LimitsScreen._act": Work(Place(at_limits, start=HOME), press("enter"), of(LimitsFlow, "act")),
    "MailingScreen._act": Work(Place(at_a_mailing, start=HOME), press("enter"), of(MailingFlow, "act")),
    "ReadinessScreen._act": Work(Place(at_readiness, start=HOME), press("enter"), of(ReadinessFlow, "act")),
    "TestMailScreen._follow_up": Work(
        Place(sent, draft_at_testmail), press("down", "down", "enter"), of(MailTestFlow, "act")
    ),
    "ExplainScreen._act": Work(
        Place(at_explaining, start=HOME),
        press("enter"),
        lambda: Service(importlib.import_module("smtp_wizard.engine.explain.explain").Explainer, "explain_text"),
    ),
    "UnsubscribeScreen._act": Work(
        Place(at_unsubscribe, start=HOME),
        press("enter"),
        of(LinkFlow, "act"),
    ),
    "InboxScreen._act: look": Work(
        Place(at_inbox, start=HOME),
        press("r"),
        of(InboxFlow, "act"),
    ),
    "InboxScreen._act: read": Work(
        Place(at_inbox, start=HOME),
        press("enter"),
        of(InboxFlow, "act"),
    ),
    "DomainScreen._act": Work(Place(at_a_domain, start=HOME), press("enter"), of(DomainFlow, "act")),
    "BouncesScreen.take": Work(Place(at_what_came_back, start=HOME), press("enter"), of(BouncesFlow, "act")),
    "CalendarScreen.show_ends": Work(Place(at_what_will_end, start=HOME), press("enter"), of(CalendarFlow, "act")),
    "WizardApp._practise": Work(AT_HOME, press("f10", "f3"), of(AddressFlow, "act")),
    "WizardApp._walk": Work(
        Place(at_signin, draft_at_signin), press("enter"), lambda: Service(SCREENS["connect"], "__init__")
    ),
}
"""All background work of the screens; of what several screens share, behind a colon, each of those."""


def background_work() -> Iterator[str]:
    """Find it: what is decorated as such."""
    for file in Path(smtp_wizard.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield from (f"{node.name}.{each.name}" for each in node.body if is_work(each))


def is_work(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        isinstance(each, ast.Call) and getattr(each.func, "id", "") in ("work", "work_once")
        for each in node.decorator_list
    )


def test_no_background_work_is_left_out() -> None:
    assert {name.partition(": ")[0] for name in WORK} == set(background_work())


def unframed(shown: str) -> str:
    """Return what is shown without blanks and frames: a long path is folded, wherever the tests are run."""
    return "".join(shown.translate(dict.fromkeys(map(ord, "|│▏"))).split())


async def told(walk: Walk, kind: str, services: Services) -> None:
    """Wait for the sentence; see that the fault is written down, for the owner only, and without a value."""
    expected = walk.faults_expected + 1
    await until(lambda: len(walk.app.faults.entries) >= expected, lambda: f"nothing was told; shown:\n{walk.shown}")
    walk.faults_expected = expected
    log = services.folder / CRASH_LOG
    await walk.until_reads(SAID[kind])
    await walk.until(lambda: f"writtenin{log}." in unframed(walk.shown), "the log's name")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    for words in (walk.shown, log.read_text("utf-8")):
        assert SECRET not in words
        assert "cannot use" not in words


@pytest.mark.parametrize("name", WORK)
async def test_background_work_that_fails_is_a_sentence_on_its_screen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every way in which it may fail, one after the other; each time it can be begun again."""
    work = WORK[name]
    service = work.service()
    service.install(monkeypatch)
    async with standing(work.place, tmp_path, size=(120, 40)) as walk:
        for kind in SAID:
            service.kind, service.calls = kind, 0
            await work.begin(walk)
            await told(walk, kind, walk.app.context.services)
            assert service.calls == 1
            assert not any(each.has_class("-running") for each in walk.app.screen.query(OutcomeCard))
            assert "Trying" not in walk.shown
            await go_on(walk)
            for selector, text in work.typed.items():
                assert walk.entry(selector).value == text


async def go_on(walk: Walk) -> None:
    """See that the screen takes keys: help comes and goes, a window over a screen closes."""
    if isinstance(walk.app.screen, FaultScreen):
        await walk.press("escape")
        if isinstance(walk.app.screen, FlowPanel | MenuPanel):
            await walk.press("escape")
        await walk.at_screen(HomeScreen)
    below = walk.app.screen
    await walk.press("f1")
    await walk.until(lambda: walk.app.screen is not below, "the help")
    await walk.press("escape")
    await walk.until(lambda: walk.app.screen is below, "the end of the help")


async def test_work_that_is_begun_again_after_a_fault_does_what_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Checks, "check_draft", lambda *arguments, **_: arguments[2] is Depth.LOGIN, kind="a bug")
    service.install(monkeypatch)
    async with standing(WORK["StepPage.act: connect"].place, tmp_path) as walk:
        await walk.press("enter")
        await told(walk, "a bug", walk.app.context.services)
        service.kind = ""
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        assert not walk.the("#banner", Banner).display


async def test_the_check_beside_the_screens_is_told_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in SAID:
        with monkeypatch.context() as patch:
            service = Service(Checks, "check_draft", lambda *arguments, **_: arguments[2] is Depth.SERVER, kind)
            service.install(patch)
            async with standing(Place(at_address), tmp_path / kind.replace(" ", "-")) as walk:
                await walk.write("ana@gmail.com")
                await walk.press("enter")
                await told(walk, kind, walk.app.context.services)
                assert walk.step == "provider"
                await go_on(walk)


@pytest.mark.parametrize("kind", SAID)
async def test_a_first_step_that_cannot_be_shown_leads_to_the_accounts(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft is kept, and can be gone on with."""
    Service(SCREENS["connect"], "__init__", kind=kind).install(monkeypatch)

    async def at_the_fault(walk: Walk) -> None:
        await until(lambda: walk.app.faults.entries, lambda: f"nothing was told; shown:\n{walk.shown}")
        walk.faults_expected = len(walk.app.faults.entries)

    async with standing(Place(at_the_fault, draft_at_connect), tmp_path) as walk:
        assert walk.faults_expected == 1
        walk.faults_expected = 0
        await told(walk, kind, walk.app.context.services)
        kept = walk.app.box.load()
        assert kept is not None
        assert (kept.draft.address, kept.step.id) == (draft_at_connect().address, "connect")
        await go_on(walk)


# --- handlers, timers, painting ---


def later(walk: Walk, how: str, fails: Callable[[], object]) -> None:
    """Have something called as handlers, timers and callbacks are."""
    screen = walk.app.screen
    part = next(each for each in (walk.app.focused, *screen.query("*")) if isinstance(each, FaultContained))
    begin: Mapping[str, Callable[[], object]] = {
        "the screen": lambda: screen.call_later(fails),
        "next": lambda: screen.call_next(fails),
        "a part": lambda: part.call_later(fails),
        "a timer": lambda: screen.set_timer(0.001, fails),
        "painted": lambda: screen.call_after_refresh(fails),
        "the app": lambda: walk.app.call_later(fails),
    }
    begin[how]()


@pytest.mark.parametrize("name", PLACES)
async def test_a_handler_that_fails_is_lost_and_nothing_else(name: str, tmp_path: Path) -> None:
    async with standing(PLACES[name], tmp_path, size=(120, 40)) as walk:
        here = walk.app.screen
        typed = [each.value for each in here.query(Input)]
        for how in ("the screen", "next", "a part", "a timer", "painted", "the app"):
            later(walk, how, lambda: raised("a bug"))
            await told(walk, "a bug", walk.app.context.services)
            if isinstance(walk.app.screen, FaultScreen):
                await walk.press("escape")
                await walk.until(lambda: walk.app.screen is here, "the screen below")
            else:
                here.query_one(Banner).say("")
            heard = asyncio.Event()
            later(walk, how, heard.set)
            await walk.until(heard.is_set, f"a later call: {how}")
        assert [each.value for each in here.query(Input)] == typed


async def test_a_fault_of_a_screen_that_was_left_bothers_nobody(tmp_path: Path) -> None:
    """What it would have said something of is gone; it is written down all the same."""
    async with standing(PLACES["provider"], tmp_path) as walk:
        left = walk.app.screen
        await walk.press("escape")
        await walk.at("address")
        with left._context(), suppress(ZeroDivisionError):
            try:
                raised("a bug")
            except ZeroDivisionError as fault:
                walk.app._handle_exception(fault)
        walk.faults_expected = 1
        await walk.settle()
        assert len(walk.app.faults.entries) == 1
        assert walk.step == "address"
        assert not walk.the("#banner", Banner).display


class Failing(PlainText):
    """A part that cannot be drawn: painted (`render`), or measured before that."""

    def __init__(self, at: str) -> None:
        super().__init__("a part")
        self.at = at

    def render(self) -> Any:
        if self.at == "painting":
            raised("a bug")
        return super().render()

    def get_content_height(self, *sizes: Any) -> int:
        if self.at == "measuring":
            raised("a bug")
        return super().get_content_height(*sizes)


@pytest.mark.parametrize("at", ["painting", "measuring"])
async def test_a_part_that_cannot_be_drawn_is_told_once(at: str, tmp_path: Path) -> None:
    """Whatever is said has it painted again; that must not go on for ever. What lies over it is drawn, and answers."""
    async with standing(PLACES["connect"], tmp_path) as walk:
        page = walk.app.screen
        await page.query_one("#column").mount(Failing(at))
        await until(lambda: walk.app.faults.entries, lambda: "nothing was told")
        walk.faults_expected = 1
        await walk.until_reads(SAID["a bug"])
        await walk.press("f2", "tab", "x", "f2")
        kinds: list[type[Panel[Any]]] = [CheckDetails, StepsPanel, HelpPanel, MenuPanel]
        for number, (key, kind) in enumerate(zip(("f4", "f6", "f1", "f10"), kinds, strict=True)):
            await walk.press(key)
            panel = await walk.at_screen(kind)
            await walk.until_reads(panel.heading)
            await walk.pilot.resize_terminal(100, 30 + number)
            await walk.press("escape")
            await walk.until(lambda: walk.app.screen is page, "the page")
        walk.no_fault()


async def test_a_part_of_a_panel_that_cannot_be_painted_is_told_in_a_window_that_closes(tmp_path: Path) -> None:
    """There is no line of its own for it. Closed, the panel can be used, and is not covered again."""
    async with standing(PLACES["help"], tmp_path) as walk:
        panel = walk.app.screen
        await panel.query_one(PanelBox).mount(Failing("painting"))
        await until(lambda: isinstance(walk.app.screen, FaultScreen), lambda: walk.shown)
        walk.faults_expected = 1
        await walk.until_reads(SAID["a bug"])
        await walk.press("escape")
        await walk.until(lambda: walk.app.screen is panel, "the panel")
        await walk.press("down", "up", "escape")
        await walk.at("address")
        walk.no_fault()


def test_every_part_of_the_screens_is_steady() -> None:
    package = Path(smtp_wizard.__file__).parent
    files = [
        package / "app.py",
        package / "app_faults.py",
        package / "type_ahead.py",
        *(package / "screens").rglob("*.py"),
        *(package / "widgets").glob("*.py"),
    ]
    modules = [
        importlib.import_module(f"smtp_wizard.{'.'.join(each.relative_to(package).with_suffix('').parts)}")
        for each in files
    ]
    parts = {
        part
        for module in modules
        for part in vars(module).values()
        if isinstance(part, type) and issubclass(part, MessagePump) and part.__module__.startswith("smtp_wizard.")
    }
    assert len(parts) > 40
    assert [part.__qualname__ for part in parts if not issubclass(part, FaultContained)] == []


def test_where_nothing_can_be_written_the_sentence_names_no_log(tmp_path: Path) -> None:
    from smtp_wizard.runtime.fault_log import FaultLog, fault_words

    (tmp_path / "config").write_text("a file where the folder should be")
    fault = ZeroDivisionError(SECRET)
    with suppress(ZeroDivisionError):
        raise fault
    log = FaultLog(tmp_path / "config")
    assert log.write(fault) == ""
    assert len(log.entries) == 1
    assert "written in" not in fault_words(fault, "")
