"""The whole way with tokens: a real OAuth server, a sign-in through the product, and a message that arrives."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.renewal import Renewal
from smtp_wizard.engine.oauth.server import OAuthFlow, OAuthServer
from tests.engine.oauth.test_oauth import Box, forms_of
from tests.realservers.oidc import LARGE, OPAQUE, Browser, TokenServer
from tests.realservers.servers import ALICE, NAME, RECIPIENT, MailServer, wait_until
from tests.support.cli import run

pytestmark = pytest.mark.real

OWN = """\
providers:
  - id: our-firm
    name: Our firm
    domains: [{domain}]
    endpoints:
      - {{host: {host}, port: {port}, security: starttls}}
    paths:
      - id: oauth
        title: In the browser
        summary: You sign in.
        status: works
        auth: oauth2
        oauth:
          name: Our firm
          authorize: {oauth.authorize}
          token: {oauth.token}
          device: {oauth.device}
          revoke: {oauth.revocation}
          scopes: [openid, offline_access, smtp]
          extra: {{prompt: consent}}
          redirect: 'http://127.0.0.1:{{port}}/callback'
"""


def server_of(oauth: TokenServer) -> OAuthServer:
    return OAuthServer(
        name="Our firm",
        authorize=oauth.authorize,
        token=oauth.token,
        device=oauth.device,
        scopes=("openid", "offline_access", "smtp"),
        extra={"prompt": "consent"},
        redirect="http://127.0.0.1:{port}/callback",
    )


@pytest.fixture
def mail(oauth: TokenServer, token_mail: Mapping[str, MailServer]) -> MailServer:
    """The server that takes tokens as large as Microsoft's, entered in the person's own list of providers."""
    server = token_mail[LARGE]
    config = Path(os.environ["SMTP_WIZARD_CONFIG"])
    config.mkdir(parents=True)
    domain = ALICE.address.partition("@")[2]
    text = OWN.format(domain=domain, host=NAME, port=server.starttls_port, oauth=oauth)
    (config / "providers.yaml").write_text(text, "utf-8")
    return server


def test_a_code_typed_elsewhere_leads_to_a_message_that_arrives(mail: MailServer) -> None:
    """`setup` without a terminal: the page and the code on stderr; then the vault, a second process, and its test."""
    words = [sys.executable, "-m", "smtp_wizard", "setup", ALICE.address, "--auth", "xoauth2", "--client-id", LARGE]
    words += ["--flow", "device", "--ca-file", str(mail.ca_file), "--send-test", RECIPIENT, "--timeout", "60"]
    words += ["--save", "Firm", "--store", "vault", "--passphrase-env", "PASSPHRASE", "--json"]
    before = len(mail.messages(RECIPIENT))
    environ = {**os.environ, "PASSPHRASE": "correct horse battery staple"}
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    assert process.stderr is not None
    shown: list[str] = []
    while "type this code" not in (shown[-1] if shown else ""):
        line = process.stderr.readline()
        assert line, "".join(shown)
        shown.append(line)
    page, code = shown[-2].strip(), shown[-1].rpartition(" ")[2].strip()
    assert "Done" in Browser(ALICE.address).open(f"{page}?user_code={code}").text
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert '"mechanism": "XOAUTH2"' in out or '"mechanism": "OAUTHBEARER"' in out
    assert len(mail.messages(RECIPIENT)) == before + 1
    environ_of_test = {"PASSPHRASE": "correct horse battery staple"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ_of_test.items():
            patch.setenv(name, value)
        again = run("test", "Firm", "--passphrase-env", "PASSPHRASE", "--json")
    assert (again.code, again.result["verdict"]) == (0, "pass")
    config = Path(os.environ["SMTP_WIZARD_CONFIG"])
    files = b"".join(file.read_bytes() for file in config.rglob("*") if file.is_file())
    for word in (b"refresh_token", b"eyJ"):
        assert word not in files


async def test_the_browser_of_this_computer_leads_to_a_token_that_is_taken(
    oauth: TokenServer, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PKCE over the listener; the token, 2.7 k long, is then given to `setup` as another program's would be."""
    exchange = OAuthClient(server_of(oauth), RegisteredClient(LARGE))
    async with PendingSignIn(exchange, OAuthFlow.BROWSER, ALICE.address) as attempt:
        finished = asyncio.ensure_future(attempt.finished())
        page = await asyncio.to_thread(Browser(ALICE.address).open, attempt.url)
        assert "You are signed in" in page.text
        found = await finished
    token = found.access.token.reveal()
    assert len(token) > 2700
    monkeypatch.setenv("TOKEN", token)
    before = len(mail.messages(RECIPIENT))
    ran = await asyncio.to_thread(
        run, "setup", ALICE.address, "--auth", "xoauth2", "--password-env", "TOKEN", "--ca-file", str(mail.ca_file),
        "--send-test", RECIPIENT, "-v", "--json",
    )  # fmt: skip
    assert (ran.code, ran.result["verdict"]) == (0, "pass")
    wait_until(lambda: len(mail.messages(RECIPIENT)) > before, "the message to be delivered")
    assert len(mail.messages(RECIPIENT)) == before + 1
    assert not [form for form in forms_of(token) if form in ran.out + ran.err]


async def test_a_pasted_address_signs_in_too(oauth: TokenServer) -> None:
    exchange = OAuthClient(server_of(oauth), RegisteredClient(OPAQUE))
    async with PendingSignIn(exchange, OAuthFlow.PASTE, ALICE.address) as attempt:
        finished = asyncio.ensure_future(attempt.finished())
        page = await asyncio.to_thread(Browser(ALICE.address).open, attempt.url, follow_home=False)
        attempt.paste("\n".join(page.address[at : at + 60] for at in range(0, len(page.address), 60)))
        found = await finished
    assert found.grant.refresh_token
    renewed = await exchange.renew(found.grant)
    assert renewed.grant.refresh_token != found.grant.refresh_token


def _renew_often(folder: str, server: OAuthServer, times: int) -> None:
    """In a process of its own: renew the one sign-in again and again."""

    async def work() -> None:
        box, exchange = Box(Path(folder) / "box"), OAuthClient(server, RegisteredClient(OPAQUE))
        for _ in range(times):
            found = await Renewal(Path(folder)).renew("Ana", read=box.read, save=box.save, ask=exchange.renew)
            assert isinstance(found, SignedIn)

    asyncio.run(work())


def test_four_processes_renew_a_hundred_times_and_nobody_is_signed_out(oauth: TokenServer, tmp_path: Path) -> None:
    server = server_of(oauth)

    async def sign_in() -> Secret:
        exchange = OAuthClient(server, RegisteredClient(OPAQUE), now=lambda: datetime.now(UTC))
        async with PendingSignIn(exchange, OAuthFlow.DEVICE) as attempt:
            assert attempt.code is not None
            await asyncio.to_thread(Browser(ALICE.address).open, attempt.code.whole_page)
            return (await attempt.finished()).grant.sealed()

    (tmp_path / "box").write_text(asyncio.run(sign_in()).reveal(), "utf-8")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_renew_often, args=(str(tmp_path), server, 25)) for _ in range(4)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(120)
    assert [each.exitcode for each in processes] == [0, 0, 0, 0]
