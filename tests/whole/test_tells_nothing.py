"""Every face of the program, with secrets of every kind: it lets in, refuses, is refused, breaks; none says a secret.

A face is one way in which the program is used. What it told (output, log, what can be printed of its objects) and what
it wrote (the config folder, the vault, transcripts, the reports of bugs) is searched for every secret: as it is,
escaped as JSON, Python, XML or an address would, over broken lines, or in Base64 at any alignment. That the search sees
each face is proved by the same run: the words in `finds` must be found there.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import html
import io
import json
import logging
import pickle
import pprint
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
import trustme
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from textual.widgets import Static

from smtp_wizard.app import WizardApp, run_app
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.oauth.browser import BrowserSignIn
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.oauth.device import ask_for_code
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.launch import build_services
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.runtime.fault_log import CRASH_LOG, LAST_FAULT
from smtp_wizard.screens.connect import ConnectScreen
from smtp_wizard.screens.details import CheckDetails
from tests.engine.oauth.test_oauth import everything_about, exchange_of, signed_in
from tests.engine.services.test_bearers import NOW, Office
from tests.plain.exchanges import COMPANY, SCOPE, SENDER
from tests.screens.test_hostile_words import headless
from tests.support.checking import check
from tests.support.cli import Ran, run
from tests.support.dialogue import Dialogue, Exchange
from tests.support.echoing import EchoingServer
from tests.support.leaks import assert_no_trace
from tests.support.misbehaving import good, make_ca
from tests.support.nouns import with_fields
from tests.support.oauthserver import CLIENT_ID, Answer, AuthorizationServer
from tests.support.places import at_review, seen, sent
from tests.support.stores import always, desktop
from tests.support.walk import Walk, guides, make_services, until, walking, words_of
from tests.whole.test_two_faces import practising

pytestmark = pytest.mark.usefixtures("any_password")

NAME = "found-7f3k"
"""The user name and the accounts' name: what a face may well show, by which the search is proved."""
FORMATS = ("plain", "json", "jsonl", "junit", "nagios", "prometheus")
REFUSING = "wrong-password"
LONGEST_COMMAND = 1000
"""Characters of a command that is kept; a longer one is refused before it is read."""


# --- the secrets, and the search ---

TOKEN = ".".join(base64.urlsafe_b64encode(Random(part).randbytes(675)).decode() for part in range(3))
"""As large as those of large providers."""
PEOPLE_TYPE = "abcXYZ019 \"'\\$%&<>[]{}=+/#;,`|~^@\u00e4\u00df\u20ac\u0416\u6f22\U0001f511"
AWKWARD = "Qp\u00e4\u00df \"wort'  <b>&amp; $HOME \\n [x] {0} %41 \u6f22\U0001f511\u20ac~q7Z"
"""With all that some form of output escapes, breaks or takes for its own."""
SECRETS = st.text(PEOPLE_TYPE, min_size=6, max_size=60).map(lambda text: f"Q{text}~q7Z")
"""The ends make sure that none is a word of ours, and that no blank stands at an end."""


def spelled(secret: str) -> list[str]:
    """Return a secret as the forms in which things are printed escape it."""
    escaped = [json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret), quote(secret), quote(secret, safe="")]
    return [*dict.fromkeys([secret, *escaped])]


_BLANKS_AND_FRAMES = re.compile(r"[\s\u2500-\u259f]+")


def squeezed(text: str) -> str:
    """Return a text without blanks and frames: a screen, or a line of a report, may be broken anywhere."""
    return _BLANKS_AND_FRAMES.sub("", text)


@dataclass
class Scene:
    """Where a face is used, and all that it gave away."""

    root: Path
    secret: str
    patch: pytest.MonkeyPatch
    told: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    """Secrets that came up on the way."""

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def passphrase(self) -> str:
        return f"{self.secret[::-1][:60]}!"

    @property
    def places(self) -> list[str | Path]:
        told = "\n".join(self.told)
        return [told, html.unescape(told), squeezed(html.unescape(told)), self.root]

    def assert_told_nothing(self) -> None:
        for secret in (self.secret, self.passphrase, *self.more):
            for form in (*spelled(secret), squeezed(secret)):
                assert_no_trace(form, *self.places)

    def assert_found(self, words: str) -> None:
        with pytest.raises(AssertionError, match="the secret stands in"):
            assert_no_trace(words, *self.places)

    async def run(self, *arguments: str, stdin: str | None = None, code: int | None = None) -> Ran:
        """Run a command in this process; what is typed is the secret, where nothing else is said."""
        self.patch.setenv("VAULT", self.passphrase)
        typed = self.secret if stdin is None else stdin
        ran = await asyncio.to_thread(run, "--config", str(self.config), *arguments, stdin=typed)
        self.told += [ran.out, ran.err]
        assert code is None or ran.code == code, ran
        return ran

    async def setup(self, path: str, *more: str, code: int | None = None) -> Ran:
        """Set an account of the practice server up, and keep its password in the vault."""
        where = ("--path", path, "--username", NAME, "--save", f"{NAME} {path}", "--store", "vault")
        log = ("-v", "--transcript", str(self.root / f"{path}.log"))
        return await self.run("setup", "ana@sandbox.test", *where, *log, *PASSWORDS, *more, code=code)

    def tell_of(self, *objects: object) -> None:
        """Print objects in every way that careless hands do."""
        for each in objects:
            self.told += [repr(each), str(each), f"{each}", pprint.pformat(each)]
            logging.getLogger("faces").debug("%s %r", each, each)
            try:
                self.told.append(pickle.dumps(each, protocol=0).decode("latin-1"))
            except Exception as problem:
                self.told.append(everything_about(problem))
        self.told.append(locals_shown(objects))

    async def look(self, walk: Walk) -> None:
        """Note all that stands on a screen, scrolled away or not, and its picture."""
        await walk.settle()
        self.told += [walk.shown, walk.app.export_screenshot()]
        self.told += [words_of(each) for each in walk.app.screen.query(Static)]


UNLOCKED = ("--passphrase-env", "VAULT")
FORCED = ("--ignore-lockout", *UNLOCKED)
PASSWORDS = ("--password-stdin", *UNLOCKED)


def locals_shown(objects: tuple[object, ...]) -> str:
    """Return the traceback of a fault in whose frame the objects stand, with what each variable holds."""
    try:
        raise ZeroDivisionError(*objects)
    except ZeroDivisionError as problem:
        return "".join(traceback.TracebackException.from_exception(problem, capture_locals=True).format())


@functools.cache
def authority() -> trustme.CA:
    return make_ca()


@contextlib.asynccontextmanager
async def echoing(scene: Scene) -> Any:
    """Run a server that says back what it is shown; yield it, and the file of its authority."""
    ca_file = scene.root / "ca.pem"
    authority().cert_pem.write_to_path(str(ca_file))
    async with EchoingServer(good(authority())) as server:
        yield server, str(ca_file)
    scene.told.append(f"{len(server.shown)} sign-ins")
    assert server.shown
    assert all(scene.secret.encode() in each for each in server.shown if each != NAME.encode())


# --- the faces ---


async def setting_up(scene: Scene) -> None:
    await scene.setup("accept", "--json", code=0)
    await scene.setup("accept", "--replace", "--send-test", "bob@sandbox.test", code=0)
    await scene.setup(REFUSING, code=1)
    await scene.setup(REFUSING, "--json", code=1)
    async with echoing(scene) as (server, ca_file):
        here = ("--host", "localhost", "--port", str(server.port), "--security", "tls", "--ca-file", ca_file)
        for form in ((), ("--json",)):
            said = ("setup", "ana@firm.example", *here, "--username", NAME, *PASSWORDS, *form)
            await scene.run(*said, "-v", "--save", "Echo", "--store", "vault", code=1)


async def checking_again(scene: Scene) -> None:
    await scene.setup("accept")
    for name in FORMATS:
        await scene.run("test", "--all", "--format", name, "-v", "--passphrase-env", "VAULT", code=0)
    refuse_from_now_on(scene)
    for name in FORMATS:
        await scene.run("test", "--all", "--format", name, "-v", *FORCED, code=2 if name == "nagios" else 1)
    await scene.run("test", "--all", "--json", code=3)


def refuse_from_now_on(scene: Scene) -> None:
    """Have the saved account's practice server refuse."""
    from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts

    saved_accounts = SavedAccounts(scene.config)
    for account in saved_accounts.list():
        saved_accounts.put(
            replace(account, connection=replace(account.connection, path=REFUSING, sandbox=REFUSING)), replacing=True
        )


async def checking(scene: Scene) -> None:
    async with echoing(scene) as (server, ca_file):
        where = ("check", f"localhost:{server.port}", "--security", "tls", "--ca-file", ca_file, "--depth", "login")
        for auth in ("password", "xoauth2"):
            for form in ((), ("--json",)):
                log = ("-v", "--transcript", str(scene.root / f"{auth}.log"), "--ignore-lockout")
                said = (*where, "--auth", auth, "--username", NAME, "--password-stdin", *log, *form)
                await scene.run(*said, code=1)


async def sending(scene: Scene) -> None:
    await scene.setup("accept", code=0)
    for form in ((), ("--json",)):
        await scene.run("send", f"{NAME} accept", "--to", "b@sandbox.test", "-v", *UNLOCKED, *form, code=0)
    refuse_from_now_on(scene)
    for form in ((), ("--json",)):
        await scene.run("send", f"{NAME} accept", "--to", "b@sandbox.test", "-v", *UNLOCKED, *form, code=1)


async def keeping(scene: Scene) -> None:
    """What is done with saved accounts, and with the vault."""
    await scene.setup("accept", code=0)
    name, unlock = f"{NAME} accept", UNLOCKED
    for form in ((), ("--json",)):
        await scene.run("accounts", *form)
        await scene.run("accounts", "show", name, *form, code=0)
        await scene.run("accounts", "password", name, *PASSWORDS, *form, code=0)
        await scene.run("accounts", "edit", name, "--sender-name", "Ana", *unlock, *form, stdin="", code=0)
        await scene.run("vault", *form)
        await scene.run("doctor", *form)
    file = scene.root.parent / "secret"
    command = shlex.join([sys.executable, "-c", "import sys; print(open(sys.argv[1]).read())", str(file)])
    await scene.run(
        "accounts", "edit", name, "--store", "command", "--secret-command", command, *unlock, stdin="", code=0
    )
    await scene.run("accounts", "edit", name, "--store", "vault", *unlock, stdin="", code=0)
    refused = shlex.join(["echo", scene.secret])
    code = 3 if len(refused) <= LONGEST_COMMAND else 2
    await scene.run(
        "accounts", "edit", name, "--store", "command", "--secret-command", refused, *unlock, "--json", code=code
    )
    refuse_from_now_on(scene)
    for form in ((), ("--json",)):
        await scene.run("accounts", "password", name, *PASSWORDS, *form, code=1)
        await scene.run("accounts", "edit", name, "--sender-name", "Ben", *unlock, *form, stdin="")


async def breaking(scene: Scene) -> None:
    """A bug in the middle of each command, with the secret in its text, its cause and its frames."""
    await scene.setup("accept")

    async def planted_fault(*arguments: Any, **options: Any) -> Any:
        local = scene.secret
        try:
            raise KeyError(local)
        except KeyError as cause:
            raise ValueError(f"cannot use {local}", arguments, options) from cause

    scene.patch.setattr("smtp_wizard.engine.services.checks.run_checks", planted_fault)
    name, unlock = f"{NAME} accept", UNLOCKED
    for form in ((), ("--json",)):
        await scene.setup("accept", "--replace", *form, code=70)
        for words in (("test", name), ("send", name, "--to", "b@sandbox.test")):
            await scene.run(*words, *unlock, "-v", *form, code=70)
        await scene.run("accounts", "password", name, *PASSWORDS, *form, code=70)
    assert (scene.config / LAST_FAULT).is_file()


async def talking(scene: Scene) -> None:
    """The wizard in lines of text: all the way, kept in the vault; then a refusal, under a user name that is typed."""
    refused: tuple[Exchange, ...] = (("User name", NAME), ("not shown:", scene.secret))
    accepted: tuple[Exchange, ...] = (
        ("E-mail address:", "practise"),
        ("What do you want to practise?", "accept"),
        ("not shown:", scene.secret),
        ("Another address that you read", "bob@example.org"),
        ("Which code word is in the message?", "junk"),
        ("Go on and save", ""),
        ("Name of the account", NAME),
        SCOPE,
        COMPANY,
        SENDER,
        ("Save it like this?", "place"),
        ("Where should the password be kept?", "vault"),
        ("Password: in the vault", ""),
        ("New passphrase", scene.passphrase),
        ("once more", scene.passphrase),
        ("What next? 1. It works", ""),
        ("Your accounts", "leave"),
    )
    await conversing(scene, *accepted)
    with pytest.raises(AssertionError, match="nobody answers this any more") as end:
        await conversing(scene, *refused, draft=typed_name(REFUSING))
    scene.told.append(str(end.value))
    assert (scene.config / "vault.json").is_file()


async def conversing(scene: Scene, *script: Exchange, draft: Draft | None = None) -> None:
    dialogue = Dialogue(*script)
    wizard = PlainWizard(build_services(scene.config, {}), guides(), dialogue)
    try:
        await asyncio.to_thread(wizard.run, start="setup", draft=draft)
    finally:
        scene.told.append(dialogue.said)


async def showing(scene: Scene) -> None:
    """The screens: the whole way, a refusal, one that says the secret back, each in detail and in full."""
    services = make_services(scene.config)
    async with walking(services, draft=typed_name("accept")) as walk:
        await signing_in(scene, walk)
        await walk.press("f4")
        await scene.look(walk)
        await walk.press("f4")
        await walk.until(lambda: walk.draft.signed_in, "the sign-in")
        await walk.press("enter")
        await sent(walk)
        await scene.look(walk)
        await seen(walk)
        await at_review(walk)
        await scene.look(walk)
        scene.tell_of(walk.draft)
        await walk.press("enter")
        await walk.at("done")
        await scene.look(walk)
    await failing_at(scene, services, typed_name(REFUSING))
    async with echoing(scene) as (server, ca_file):
        endpoint = Endpoint("localhost", server.port, Security.TLS)
        by_hand = with_fields(typed_name("accept"), provider="custom", path="password", sandbox=None, endpoint=endpoint)
        await failing_at(
            scene,
            services,
            replace(by_hand, by_hand=True, connection=replace(by_hand.connection, ca_file=ca_file)).confirmed(),
        )


def typed_name(scenario: str) -> Draft:
    return with_fields(practising(scenario), username=NAME)


async def signing_in(scene: Scene, walk: Walk) -> None:
    await walk.at("connect")
    await walk.write(scene.secret)
    await scene.look(walk)
    await walk.sign_in()
    await scene.look(walk)


async def failing_at(scene: Scene, services: Services, draft: Draft) -> None:
    async with walking(services, draft=draft, size=(120, 40)) as walk:
        await signing_in(scene, walk)
        await walk.press("f4")
        await scene.look(walk)
        full = await walk.at_screen(CheckDetails)
        await scene.look(walk)
        scene.tell_of(full.finding, tuple(row.plain for row in full.rows))


async def failing(scene: Scene) -> None:
    """A check meets a bug, which the screens say and write down."""

    async def planted_fault(checks: Checks, draft: Draft, depth: Depth, *_: object, **__: object) -> None:
        local = scene.secret
        if depth is not Depth.SERVER:
            raise ZeroDivisionError(f"cannot use {local} of {draft}")

    scene.patch.setattr(Checks, "check_draft", planted_fault)
    async with walking(make_services(scene.config), draft=typed_name("accept")) as walk:
        await walk.at("connect")
        await walk.write(scene.secret)
        await walk.press("enter")
        await until(lambda: walk.app.faults.entries, lambda: "nothing was told")
        walk.faults_expected = 1
        await walk.until_reads("met a fault of its own here")
        await scene.look(walk)
    assert "ZeroDivisionError" in (scene.config / CRASH_LOG).read_text("utf-8")


def crashing(scene: Scene) -> None:
    """A bug before there is a screen ends the program."""

    def planted_fault(app: WizardApp, draft: Draft) -> None:
        local = scene.secret
        raise ZeroDivisionError(f"cannot use {local} of {draft}")

    services = make_services(scene.config)
    scene.patch.setattr(WizardApp, "_set_up", planted_fault)
    headless(scene.patch, ConnectScreen, "enter")
    draft = replace(typed_name("accept"), secret=Secret(scene.secret))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert run_app(services, guides(), start="setup", draft=draft) == 70
    scene.told += [out.getvalue(), err.getvalue()]
    assert "ZeroDivisionError" in (scene.config / CRASH_LOG).read_text("utf-8")


async def printing(scene: Scene) -> None:
    """The events of a check, and all the objects in play, printed by careless hands."""
    secret = Secret(scene.secret)
    async with echoing(scene) as (server, ca_file):
        endpoint = Endpoint("localhost", server.port, Security.TLS)
        for auth in (Auth.PASSWORD, Auth.XOAUTH2):
            done = await check(endpoint, secret=secret, auth=auth, trust=Trust(ca_file), username=NAME)
            scene.told.append(done.everything)
            scene.tell_of(done.report, *done.events, *done.symptoms)
    stores = SecretStores({}, scene.config, backend_factory=always(desktop()))
    await stores.vault.create(Secret(scene.passphrase))
    services = make_services(scene.config, stores=stores)
    draft = replace(typed_name("accept"), name=NAME, secret=secret, store=StoreKind.VAULT)
    account = await services.accounts.save(draft)
    assert await services.entries.secret_of(account) == secret
    assert account.store is not None
    scene.tell_of(secret, draft, account, services.saved_accounts.list(), stores.vault, stores, services)
    shut = SecretStores({}, scene.config, backend_factory=always(desktop()))
    for passphrase in (None, Secret(f"{scene.secret}, not")):
        work = shut.vault.open(passphrase) if passphrase is not None else shut.fetch(account.store)
        with pytest.raises(SecretError) as caught:
            await work
        scene.told.append(everything_about(caught.value))
        scene.tell_of(caught.value)


async def browsing(scene: Scene) -> None:
    """The sign-in in the browser, with tokens as large as they come, the drawn secret as the client's."""
    echoed: list[str] = []

    def echo(path: str, form: Mapping[str, str]) -> Answer:
        echoed.extend(form[key] for key in ("refresh_token", "client_secret", "code_verifier") if key in form)
        said = json.dumps(dict(form))
        return 400, {"error": f"no {form}", "error_description": said, "access_token": encoded(said)}

    async with AuthorizationServer(client_secret=scene.secret, token_size=2700) as server:
        client = RegisteredClient(CLIENT_ID, Secret(scene.secret))
        scene.config.mkdir()
        office = Office(scene.config, server, scene.patch)
        await office.services.stores.vault.create(Secret(scene.passphrase))
        found = await signed_in(server, client)
        draft = replace(office.draft(office.services.tokens.remember(found)), name=NAME, store=StoreKind.VAULT)
        report = await office.check(draft)
        account = await office.services.accounts.save(draft)
        account = await office.services.accounts.save(replace(draft, name="Ana"))
        scene.tell_of(found, found.grant, found.access, client, draft, account, report)
        scene.tell_of(office.services, office.services.tokens)
        scene.tell_of(await office.test(), *office.events)
        server.override = echo
        exchange = exchange_of(server, client)
        attempt = BrowserSignIn(exchange, 4711)
        code = attempt.pasted(server.consent(attempt.url))
        for work in (attempt.finish(code), exchange.renew(found.grant), ask_for_code(exchange, lambda: NOW)):
            with pytest.raises(OAuthError) as caught:
                await work
            scene.told.append(everything_about(caught.value))
            scene.tell_of(caught.value)
        scene.tell_of(attempt, exchange, code)
        assert scene.secret in echoed
        scene.more += [*server.access_tokens, *server.refresh_tokens, *echoed]


@dataclass(frozen=True)
class Face:
    """One way to use the program."""

    use: Callable[[Scene], Any]
    finds: tuple[str, ...] = (NAME,)
    """What the search must find in what the face gave away."""


FACES = {
    "setup": Face(setting_up),
    "test": Face(checking_again),
    "check": Face(checking, ("AUTH PLAIN",)),
    "send": Face(sending),
    "accounts, vault, doctor": Face(keeping),
    "a bug in a command": Face(breaking, (NAME, "planted_fault")),
    "the wizard in lines": Face(talking),
    "the screens": Face(showing),
    "a bug in the screens": Face(failing, (NAME, "planted_fault")),
    "a bug before the screens": Face(crashing, ("planted_fault",)),
    "objects and events": Face(printing),
    "the sign-in in the browser": Face(browsing),
}


# --- the property ---


@contextmanager
def listening(told: list[str]) -> Iterator[None]:
    """Note all that anybody logs, at any level, with the fault that is logged beside it."""
    handler, root = logging.Handler(), logging.getLogger()
    plain = logging.Formatter("%(name)s %(message)s")
    handler.emit = lambda record: told.append(plain.format(record))  # type: ignore[method-assign]
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


@pytest.mark.parametrize("name", FACES)
@example(TOKEN)
@example(AWKWARD)
@given(SECRETS)
@settings(
    max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
def test_no_face_tells_a_secret(name: str, secret: str) -> None:
    face = FACES[name]
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))
        source = Path(place) / "secret"
        source.write_text(secret, "utf-8")
        scene = Scene(Path(place) / "searched", secret, patch)
        scene.root.mkdir()
        with listening(scene.told):
            done = face.use(scene)
            if asyncio.iscoroutine(done):
                asyncio.run(done)
        scene.assert_told_nothing()
        for words in face.finds:
            scene.assert_found(words)
        for hidden in (secret, f"x{secret}", f"xy{secret}"):
            planted = replace(scene, told=[*scene.told, hidden if hidden == secret else encoded(hidden)])
            planted.assert_found(secret)


def encoded(text: str) -> str:
    """A text in Base64, as it goes over the wire."""
    return base64.b64encode(text.encode()).decode()
