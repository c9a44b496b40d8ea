"""Every flow under somebody who takes what is offered in any order, types anything and stops in the midst of it.

Meanwhile each service fails in one of its documented ways, half of the time. Nothing may come out of a flow but where
it leads: an exception would end a face. What was stopped must not stand there as if it went on.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard import flows
from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED, refused
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.mailbox.arrival import Arrival
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.arrivals import Confirmation, Rehearsal
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.account_draft import account_of
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.accounts.account_list import AccountsFlow
from smtp_wizard.flows.accounts.action import LEFT, Action, ActionResult
from smtp_wizard.flows.accounts.arrival import ArrivalActions, SentMessage, accepted
from smtp_wizard.flows.address import AddressFlow, AddressOffer
from smtp_wizard.flows.areas.bounces import BouncesFlow, BouncesOffer
from smtp_wizard.flows.areas.calendar import CalendarFlow, CalendarOffer
from smtp_wizard.flows.areas.domain import DomainFlow, DomainOffer
from smtp_wizard.flows.areas.explain import ExplainFlow, ExplainOffer
from smtp_wizard.flows.areas.guides import GuideOffer, GuidesFlow
from smtp_wizard.flows.areas.inbox import InboxFlow, InboxOffer
from smtp_wizard.flows.areas.limits import LimitOffer, LimitsFlow
from smtp_wizard.flows.areas.mailing import MailingField, MailingFlow, MailingOffer
from smtp_wizard.flows.areas.readiness import ReadinessFlow, ReadinessOffer
from smtp_wizard.flows.areas.unsubscribe import LinkField, LinkFlow, LinkOffer
from smtp_wizard.flows.browser import BrowserField, BrowserFlow, BrowserOffer
from smtp_wizard.flows.connect import ConnectFlow
from smtp_wizard.flows.connect_state import ConnectOffer
from smtp_wizard.flows.flow import Flow
from smtp_wizard.flows.last_steps.done import DoneFlow, DoneOffer
from smtp_wizard.flows.last_steps.save import SaveField, SaveFlow, SaveOffer
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer
from smtp_wizard.flows.provider import ProviderFlow, ProviderOffer
from smtp_wizard.flows.question import Answer, QuestionFlow
from smtp_wizard.flows.save_file import SaveFile
from smtp_wizard.flows.server import ServerFlow
from smtp_wizard.flows.server_state import ServerField, ServerOffer
from smtp_wizard.flows.sign_in import SignInFlow, SignInOffer
from smtp_wizard.flows.vault import NewPassphrase, UnlockVault
from tests.flows.accounts.doubles import flow_of as accounts_of
from tests.flows.accounts.doubles import saved, troubles
from tests.flows.test_connect import GREETED, REFUSED, at_stage, by_hand, finding, of_gmail
from tests.flows.test_explain import BOUNCE
from tests.flows.test_explain import REFUSED as REFUSED_TEXT
from tests.support.places import draft_at_review, draft_at_testmail
from tests.support.stores import MemoryBackend, always, desktop
from tests.support.walk import catalog, guides, make_services

WALKS, MOVES = 6, 50
SECRET = "hunter2-of-nobody"
TYPED = (
    "",
    "ana@gmail.com",
    "ana@gmial.con",
    "smtp.example.com",
    "465",
    "a/b",
    "\x00\x1b[2J",
    "ü" * 300,
    "no such",
)
OUTCOMES: tuple[tuple[CheckResult, ...], ...] = (
    (GREETED, at_stage(Stage.AUTH)),
    (GREETED, at_stage(Stage.AUTH), at_stage(Stage.DATA)),
    REFUSED,
    (at_stage(Stage.GREETING, finding("connection_refused")),),
    (at_stage(Stage.AUTH, finding(PAUSED)),),
)
CONFIRMED = Confirmation(copy=SentCopy.FOUND, arrival=Arrival(where=ArrivalState.UNKNOWN))
REHEARSED = Rehearsal(waited=timedelta(seconds=60))
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Fate:
    """What befalls the services: chosen by a seed, so that a walk can be walked again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.problems = list(troubles())
        self.against_advice: list[str] = []
        """What was taken each time a sign-in went out although it may lock the account."""
        self.refused: set[object] = set()
        """Server, user name and password that were refused since the step was come to."""
        self.sent_again: list[str] = []
        """What was taken each time they went out once more."""
        self.messages = 0
        """How many the server has taken."""
        self.offer = ""
        """What was taken last."""

    def fails(self) -> None:
        """Raise one of the problems, half of the time."""
        if self.random.random() < 0.5:
            raise self.random.choice(self.problems)

    async def waits(self) -> None:
        """Let others have their turn, as whoever waits for a server does."""
        for _ in range(self.random.randrange(3)):
            await asyncio.sleep(0)

    def report(self, endpoint: Endpoint | None) -> Report:
        return Report(endpoint or Endpoint("smtp.example.com", 465, Security.TLS), self.random.choice(OUTCOMES))


def unlucky(services: Services, fate: Fate) -> Services:
    """Have the services that speak to others fail; those that save do it in a folder of the test's."""

    async def check(what: Any, *_: Any, options: CheckOptions | None = None, **__: Any) -> Report:
        if options is not None and options.ignore_lockout:
            fate.against_advice.append(fate.offer)
        await fate.waits()
        fate.fails()
        report, sent = fate.report(what.connection.endpoint), _sent(what)
        fate.messages += accepted(report) == "yes"
        if sent in fate.refused:
            fate.sent_again.append(fate.offer)
        if refused(report):
            fate.refused.add(sent)
        return report

    async def nothing(*_: Any, **__: Any) -> Any:
        await fate.waits()
        fate.fails()
        raise AccountsError(fate.problems[0].words)  # type: ignore[attr-defined]

    def finds(found: object) -> Callable[..., Awaitable[object]]:
        async def look(*_: Any, options: CheckOptions | None = None, **__: Any) -> object:
            if options is not None and options.ignore_lockout:
                fate.against_advice.append(fate.offer)
            await fate.waits()
            fate.fails()
            return found

        return look

    async def none(*_: Any, **__: Any) -> None:
        await fate.waits()
        fate.fails()

    def gone(*_: Any, **__: Any) -> Any:
        raise fate.random.choice(fate.problems)

    def sometimes(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def done(*arguments: Any, **named: Any) -> Any:
            await fate.waits()
            fate.fails()
            return await real(*arguments, **named)

        return done

    doubles: dict[Any, dict[str, Any]] = {
        services.checks: {
            "check_draft": check,
            "check_account": check,
            "practice_message": nothing,
            "tries_left": none,
        },
        services.scans: {"probe": nothing, "ask_neutral": nothing, "propose_neutral": gone},
        services.discovery: {"find_settings": nothing},
        services.domains: {"examine": nothing},
        services.arrivals: {"confirm": finds(CONFIRMED), "rehearse": finds(REHEARSED)},
        services.bounces: {"read": nothing, "remember": lambda *_: None},
        services.tokens: {"store_of": none, "exchange": gone},
        services.entries: {"secret_of": sometimes(services.entries.secret_of)},
        services.accounts: {
            name: sometimes(getattr(services.accounts, name))
            for name in (
                "save",
                "refuse_collisions",
                "rename",
                "duplicate",
                "move",
                "replace_secret",
                "set_scope",
                "remove",
            )
        },
    }
    for service, methods in doubles.items():
        for name, double in methods.items():
            setattr(service, name, double)
    return services


def _sent(what: Any) -> object:
    """Return what a check shows a server; of an account, whose password is at hand elsewhere, itself."""
    secret = getattr(what, "secret", None)
    return (what.connection.endpoint, what.connection.username, secret) if secret is not None else object()


class UnreadableGuides(Guides):
    """Guides of which some cannot be read."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def get(self, guide_id: str) -> Any:
        if self._fate.random.random() < 0.5:
            raise DataError(phrase("It fails on purpose."))
        return super().get(guide_id)


@dataclass(frozen=True)
class Player:
    """One flow, and what a face may do with it."""

    flow: Flow[Any, Any, Any]
    offers: tuple[str, ...]
    """What may be taken beside what the state offers: a key does not look whether it is offered."""
    types: tuple[Callable[[str], object], ...] = ()
    again: Callable[[Draft], Player] | None = None
    """The same step, come back to with another draft."""


Make = Callable[[Services, Fate, Path], Player]


def _address(services: Services, fate: Fate, _: Path, draft: Draft | None = None) -> Player:
    flow = AddressFlow(draft or Draft(), catalog=catalog(), discovery=services.discovery)
    return Player(
        flow, tuple(AddressOffer), (flow.type, lambda _: flow.stop()), lambda it: _address(services, fate, _, it)
    )


def _provider(services: Services, fate: Fate, _: Path, draft: Draft | None = None) -> Player:
    flow = ProviderFlow(draft or of_gmail(), catalog())
    types = (flow.search, lambda _: flow.pick(fate.random.choice(catalog().providers).id))
    safe = (ProviderOffer.BACK, ProviderOffer.OTHER, ProviderOffer.DENY, ProviderOffer.HAND)
    return Player(flow, safe, types)


def _sign_in(services: Services, fate: Fate, _: Path) -> Player:
    flow = SignInFlow(of_gmail(), catalog(), UnreadableGuides(fate))
    return Player(flow, (*SignInOffer, "no-such-way"), (flow.about,))


def _server(services: Services, fate: Fate, _: Path) -> Player:
    flow = ServerFlow(by_hand(), catalog=catalog(), checks=services.checks, scans=services.scans, now=services.now)
    types = [partial(flow.type, field) for field in ServerField if field is not ServerField.SECURITY]
    return Player(flow, tuple(ServerOffer), (*types, lambda _: flow.choose(fate.random.choice(list(Security)))))


def _browser(services: Services, fate: Fate, _: Path) -> Player:
    every = ((provider, path) for provider in catalog().providers for path in provider.paths)
    provider, path = next(each for each in every if each[1].oauth is not None)
    draft = of_gmail().with_provider(provider, Origin.CHOSEN).with_path(path)
    flow = BrowserFlow(draft, catalog=catalog(), tokens=services.tokens, now=services.now, environ={})
    types = [partial(flow.type, field) for field in BrowserField]
    return Player(flow, tuple(BrowserOffer), tuple(types))


def _connect(
    services: Services, fate: Fate, folder: Path, draft: Draft | None = None, *, lingers: bool = True
) -> Player:
    flow = ConnectFlow(
        draft or by_hand(),
        catalog=catalog(),
        checks=services.checks,
        scans=services.scans,
        tokens=services.tokens,
        vault=services.stores.vault,
        guides=UnreadableGuides(fate),
        lingers=lingers,
    )
    types = (
        flow.type_username,
        lambda _: flow.type_secret(SECRET),
        lambda _: flow.type_secret(SECRET[::-1]),
        lambda _: flow.type_passphrase(SECRET),
        lambda _: flow.mark(1, True),
        lambda _: flow.stop(),
    )
    return Player(flow, tuple(ConnectOffer), types, lambda it: _connect(services, fate, folder, it, lingers=lingers))


def _test_mail(services: Services, fate: Fate, _: Path) -> Player:
    draft = draft_at_testmail()
    flow = MailTestFlow(
        # Half of the time a mailbox that is no practice, and may be read.
        replace(draft, connection=replace(draft.connection, sandbox=fate.random.choice((None, "accept")))),
        checks=services.checks,
        tokens=services.tokens,
        vault=services.stores.vault,
        catalog=catalog(),
        now=services.now,
        messages=ArrivalActions(
            checks=services.checks,
            arrivals=services.arrivals,
            entries=services.entries,
            vault=services.stores.vault,
            catalog=catalog(),
        ),
    )
    return Player(flow, tuple(MailTestOffer), (flow.type,))


def _save(services: Services, fate: Fate, folder: Path) -> Player:
    flow = SaveFlow(
        replace(draft_at_review(), store=None),
        accounts=services.accounts,
        stores=services.stores,
        saved_accounts=services.saved_accounts,
        catalog=catalog(),
        screen=load_sending_application(),
        now=services.now,
    )
    types = [partial(flow.type, field) for field in SaveField]
    chooses = (lambda _: flow.choose_scope(fate.random.choice(list(Scope))), lambda _: flow.choose_company(True))
    return Player(flow, (*SaveOffer, *StoreKind), (*types, *chooses))


def _done(services: Services, fate: Fate, _: Path) -> Player:
    draft = replace(draft_at_review(), saved="Office")
    return Player(
        DoneFlow(draft, catalog=catalog(), screen=load_sending_application(), copy=lambda _: None), tuple(DoneOffer)
    )


def _explain(services: Services, fate: Fate, _: Path) -> Player:
    from smtp_wizard.engine.explain.factory import load_explainer

    def load() -> Any:
        fate.fails()
        return load_explainer(catalog())

    def accounts() -> Any:
        fate.fails()
        return services.saved_accounts.list()

    flow = ExplainFlow(catalog(), UnreadableGuides(fate), accounts, load)
    texts = (
        lambda _: flow.paste(REFUSED_TEXT),
        lambda _: flow.paste(BOUNCE, provider="no such"),
        lambda _: flow.details(),
    )
    return Player(flow, tuple(ExplainOffer), (flow.paste, *texts))


def _guides(services: Services, fate: Fate, _: Path) -> Player:
    flow = GuidesFlow(guides())
    return Player(flow, tuple(GuideOffer), (flow.find, lambda _: flow.choose(fate.random.randrange(-3, 99))))


def _inbox(services: Services, fate: Fate, folder: Path) -> Player:
    flow = InboxFlow(folder / "practice")
    return Player(flow, tuple(InboxOffer), (lambda _: flow.choose(fate.random.randrange(-3, 9)),))


def _limits(services: Services, fate: Fate, folder: Path) -> Player:
    flow = LimitsFlow(catalog(), NOON.date(), folder)
    return Player(flow, tuple(LimitOffer), (flow.find, lambda _: flow.choose(fate.random.randrange(-3, 999))))


def _mailing(services: Services, fate: Fate, _: Path) -> Player:
    flow = MailingFlow(catalog(), fate.random.choice(catalog().providers), NOON.date())
    fields = [each for each in MailingField if each in flow.state.entries]
    return Player(flow, tuple(MailingOffer), tuple(partial(flow.put, field) for field in fields))


def _link(services: Services, fate: Fate, folder: Path) -> Player:
    def accounts() -> Any:
        fate.fails()
        return services.saved_accounts.list()

    flow = LinkFlow(accounts, folder)
    return Player(flow, tuple(LinkOffer), tuple(partial(flow.put, field) for field in LinkField))


def _calendar(services: Services, fate: Fate, _: Path) -> Player:
    flow = CalendarFlow(saved_accounts=services.saved_accounts, catalog=catalog(), now=services.now)
    return Player(flow, tuple(CalendarOffer), (lambda _: flow.choose(fate.random.randrange(-3, 99)),))


def _domain(services: Services, fate: Fate, _: Path) -> Player:
    def accounts() -> Any:
        fate.fails()
        return services.saved_accounts.list()

    flow = DomainFlow(services.domains, catalog(), accounts)
    return Player(flow, (*DomainOffer, "no-such-finding"), (flow.put, flow.explained, lambda _: flow.details()))


def _readiness(services: Services, fate: Fate, _: Path) -> Player:
    def accounts() -> Any:
        fate.fails()
        own = account_of(replace(draft_at_review(), name="Office"), NOON)
        return [replace(own, connection=replace(own.connection, sandbox=None))] * 2

    typed = {MailingField.RECIPIENTS: "500", MailingField.RESERVE: fate.random.choice(("10%", "no such"))}
    flow = ReadinessFlow(accounts, services.domains, catalog(), NOON.date(), typed=typed)
    return Player(flow, (*ReadinessOffer, "no-such-rule"), (flow.put, flow.explained, lambda _: flow.details()))


def _returned(services: Services, fate: Fate, _: Path) -> Player:
    def accounts() -> Any:
        fate.fails()
        return [account_of(replace(draft_at_review(), name="Office"), NOON)]

    vault = services.stores.vault
    flow = BouncesFlow(accounts, services.bounces, services.entries, vault, catalog(), now=services.now)
    return Player(flow, tuple(BouncesOffer), (lambda _: flow.choose(fate.random.randrange(-3, 9)),))


def _question(flow: QuestionFlow[Any], fate: Fate) -> Player:
    def types(text: str) -> None:
        if flow.state.entries:
            flow.type(fate.random.randrange(len(flow.state.entries)), text)

    return Player(flow, tuple(Answer), (types, types))


def _vault(services: Services, fate: Fate, _: Path) -> Player:
    return _question(UnlockVault(services.stores.vault), fate)


def _new_passphrase(services: Services, fate: Fate, _: Path) -> Player:
    return _question(NewPassphrase(), fate)


def _file(services: Services, fate: Fate, folder: Path) -> Player:
    return _question(SaveFile("words", "found", "txt", folder=folder), fate)


FLOWS: dict[str, Make] = {
    "address": _address,
    "provider": _provider,
    "sign-in": _sign_in,
    "server": _server,
    "browser": _browser,
    "connect": _connect,
    "connect-in-lines": partial(_connect, lingers=False),
    "test-mail": _test_mail,
    "save": _save,
    "done": _done,
    "explain": _explain,
    "guides": _guides,
    "inbox": _inbox,
    "limits": _limits,
    "mailing": _mailing,
    "unsubscribe": _link,
    "calendar": _calendar,
    "domain": _domain,
    "returned": _returned,
    "readiness": _readiness,
    "vault": _vault,
    "new-passphrase": _new_passphrase,
    "file": _file,
}
ELSEWHERE = frozenset({AccountsFlow})
"""Walked by itself, with all actions on an account."""


def kinds_below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from kinds_below(each)


def test_every_flow_is_walked(services: Services, tmp_path: Path) -> None:
    for module in pkgutil.walk_packages(flows.__path__, f"{flows.__name__}."):
        importlib.import_module(module.name)
    walked_here = {type(make(services, Fate(1), tmp_path).flow) for name, make in FLOWS.items()}
    ours = [each for each in kinds_below(Flow) if each.__module__.startswith(f"{flows.__name__}.")]
    every = {each for each in ours if not inspect.isabstract(each) and not issubclass(each, Action)}
    assert {each.__name__ for each in every - walked_here - ELSEWHERE} == set()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, now=lambda: NOON)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed may be taken for the name of a file, and be written where the tests were started."""
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))


async def moved(player: Player, fate: Fate) -> object:
    """Make one move; return where it leads."""
    if player.types and fate.random.random() < 0.4:
        fate.random.choice(player.types)(fate.random.choice(TYPED))
        return None
    shown = [each.id for each in getattr(player.flow.state, "offers", ()) if not each.off]
    fate.offer = str(fate.random.choice([*shown, *shown, *player.offers]))
    taken = next(each for each in [*shown, *player.offers] if each == fate.offer)
    return await stopped_or_not(player.flow.act(taken), fate)


async def stopped_or_not(work: Awaitable[Any], fate: Fate) -> object:
    """Wait for it; one time in four stop it in the midst."""
    acting = asyncio.ensure_future(work)
    if fate.random.random() < 0.25:
        for _ in range(fate.random.randrange(4)):
            await asyncio.sleep(0)
        acting.cancel()
    try:
        return await acting
    except asyncio.CancelledError:
        return None


def stands_still(state: object) -> bool:
    """Whether a state says that nothing is being done."""
    phase = getattr(state, "phase", "")
    card = getattr(state, "card", None)
    running = getattr(state, "running", "") or getattr(state, "busy", False) or phase == "sending"
    return not running and (card is None or card.mood != "running")


async def vault_answered(flow: Any, fate: Fate) -> None:
    """Answer the question for the vault's passphrase in the midst of a step, in one way or another."""
    question: UnlockVault = flow.vault
    for _ in range(4):
        question.type(fate.random.randrange(len(question.state.entries)), fate.random.choice((SECRET, "wrong words")))
        opened = await question.act(fate.random.choice((Answer.DO, Answer.DO, Answer.LEAVE)))
        if opened is not None:
            break
    else:
        opened = await question.act(Answer.LEAVE)
    assert opened is not None
    await stopped_or_not(flow.opened(opened), fate)


def seeds() -> Iterator[int]:
    yield from range(WALKS)


@pytest.mark.parametrize("name", FLOWS)
async def test_whatever_is_taken_in_whatever_order_a_flow_only_leads_on(
    name: str, tmp_path: Path, services: Services
) -> None:
    for seed in seeds():
        fate = Fate(seed)
        player = FLOWS[name](unlucky(make_anew(services, tmp_path / str(seed)), fate), fate, tmp_path)
        if (read := getattr(player.flow, "read_accounts", None)) is not None:
            await read()
        for move in range(MOVES):
            try:
                leads = await moved(player, fate)
                if getattr(player.flow, "vault", None) is not None:
                    await vault_answered(player.flow, fate)
                if (action := getattr(player.flow, "action", None)) is not None:
                    player.flow.acted(await gone_through(action, fate) or LEFT)  # type: ignore[attr-defined]
            except Exception as fault:
                raise AssertionError(f"{name}, walk {seed}, move {move}: '{fate.offer}' raised {fault!r}") from fault
            await asyncio.sleep(0)
            stayed = leads is None
            assert not stayed or stands_still(player.flow.state), f"{name}, walk {seed}, move {move}: '{fate.offer}'"
            assert SECRET not in repr(player.flow.state), "no secret in a state"
            if leads is not None and (isinstance(leads, Next | Back) or isinstance(player.flow, QuestionFlow)):
                if player.again is None:
                    break
                assert isinstance(leads, Next | Back)
                player = player.again(leads.draft)
                fate.refused.clear()
        assert not {ConnectOffer.SIGN_IN, MailTestOffer.SEND} & set(fate.sent_again), f"{name}, walk {seed}"
        allowed = {ConnectOffer.ANYWAY_NOW, ConnectOffer.CONFIRM, MailTestOffer.ANYWAY}
        assert set(fate.against_advice) <= allowed, (
            f"{name}, walk {seed}: what may lock the account was never agreed to"
        )


def make_anew(services: Services, folder: Path, backend: MemoryBackend | None = None) -> Services:
    """Return services over another folder, so that one walk leaves nothing to the next."""
    vault = VaultStore(folder, cost=Cost(n=2**4))
    stores = SecretStores({}, folder, vault=vault, backend_factory=always(backend or desktop()))
    return make_services(folder, stores=stores, now=services.now)


async def test_whatever_is_done_with_the_accounts_only_leads_on(tmp_path: Path, services: Services) -> None:
    for seed in seeds():
        fate = Fate(seed)
        backend = desktop()
        made = make_anew(services, tmp_path / str(seed), backend)
        await made.stores.vault.create(Secret(SECRET))
        for name, places in (("Office", [StoreKind.KEYRING, StoreKind.SESSION]), ("Shop", [StoreKind.VAULT])):
            await saved(made, name, store=fate.random.choice(places))
        again = make_anew(services, tmp_path / str(seed), backend)  # in another process the vault is shut
        flow = accounts_of(unlucky(again, fate))
        for move in range(MOVES):
            await flow.reload()
            flow.find(fate.random.choice(("", "", "off", "nothing like it")))
            flow.choose(fate.random.randrange(max(len(flow.state.rows), 1)))
            try:
                await walked(flow, fate)
            except Exception as fault:
                raise AssertionError(f"walk {seed}, move {move}: '{fate.offer}' raised {fault!r}") from fault
        assert set(fate.against_advice) <= {"do"}


async def walked(flow: Any, fate: Fate) -> None:
    """Take something of the list, and go through it to one end or another."""
    from smtp_wizard.flows.accounts.account_list import AccountListAction
    from smtp_wizard.text.accounts import AccountAction

    taken: StrEnum = fate.random.choice([*AccountAction, *AccountListAction])
    leads = await flow.act(taken)
    if not isinstance(leads, Action):
        return
    done = await gone_through(leads, fate)
    if done is None:
        flow.stopped()
    else:
        await flow.take(done)


async def gone_through(leads: Action, fate: Fate) -> ActionResult | None:
    """Answer whatever an action asks; return what came of it, None where it was given up."""
    done: Any = await stopped_or_not(leads.begin(), fate)
    for _ in range(8):
        if done is not None:
            break
        assert stands_still(leads.state), f"after '{fate.offer}'"
        answer(leads, fate)
        shown = [each.id for each in leads.state.offers if not each.off]
        fate.offer = fate.random.choice([*shown, *shown, Answer.DO, Answer.LEAVE])
        asked = leads.state.about
        before = len(fate.against_advice)
        done = await stopped_or_not(leads.act(fate.offer), fate)
        assert len(fate.against_advice) == before or asked == "lockout", "nobody agreed to what may lock the account"
    assert done is None or isinstance(done, ActionResult)
    return done


@pytest.mark.parametrize("kind", ["confirm", "confirm-sent", "rehearse"])
async def test_whatever_is_answered_no_second_message_goes_out(kind: str, tmp_path: Path, services: Services) -> None:
    """Of one that was sent before, none at all; and none before somebody has said yes to it."""
    account = replace(account_of(replace(draft_at_review(), name="Office"), NOON), store=None)
    account = replace(account, connection=replace(account.connection, sandbox=None))
    for seed in range(WALKS * 5):
        fate = Fate(seed)
        made = unlucky(make_anew(services, tmp_path / str(seed)), fate)
        actions = ArrivalActions(
            checks=made.checks,
            arrivals=made.arrivals,
            entries=made.entries,
            vault=made.stores.vault,
            catalog=made.catalog,
        )
        sent = SentMessage(to=Address("bob", "elsewhere.example"), code="music") if kind == "confirm-sent" else None
        action = actions.rehearse(account) if kind == "rehearse" else actions.confirm(account, sent=sent)
        try:
            for _ in range(3):  # whoever stopped it may begin anew
                if await gone_through(action, fate) is not None:
                    break
        except Exception as fault:
            raise AssertionError(f"{kind}, walk {seed}: '{fate.offer}' raised {fault!r}") from fault
        assert fate.messages <= (0 if sent is not None else 1), f"{kind}, walk {seed}"
        assert SECRET not in repr(action.state)


def answer(flow: QuestionFlow[Any], fate: Fate) -> None:
    """Type something into a field, where there is one."""
    if flow.state.entries:
        at = fate.random.randrange(len(flow.state.entries))
        flow.type(at, fate.random.choice(TYPED))
        if flow.state.entries[at].secret:
            flow.give(at, Secret(SECRET))
