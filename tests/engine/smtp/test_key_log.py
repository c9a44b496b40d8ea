"""SSLKEYLOGFILE is ignored: whoever sets it for another program would read every password out of a recorded line."""

from __future__ import annotations

import ast
import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.discovery.web import FetchedDocument, HttpWeb
from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.sandbox.scenarios import load_scenarios, practice_password
from smtp_wizard.engine.sandbox.server import Sandbox
from smtp_wizard.engine.smtp import transport
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from tests.support.certs import Authority
from tests.support.checking import check, starttls_up_to_auth, tls_up_to_auth
from tests.support.cli import run_process
from tests.support.misbehaving import Hold, MisbehavingServer, Send
from tests.support.webserver import Page, WebServer

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PACKAGE = Path(transport.__file__).parent.parent


@pytest.fixture
def key_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that nobody must write."""
    file = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(file))
    verifying_context.cache_clear()
    return file


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_check_writes_no_keys(key_log: Path, authority: Authority, security: Security) -> None:
    """Nor does the second look at a certificate that is not believed."""
    context = authority.issue("localhost", "127.0.0.1").context()
    start = tls_up_to_auth(context) if security is Security.TLS else starttls_up_to_auth(context)
    async with MisbehavingServer([*start, Send(b"235 welcome\r\n"), Hold()], strict=False) as server:
        believed = await check(server.endpoint(security), trust=Trust(str(authority.file)))
        alone = await check(server.endpoint(security), trust=Trust(str(authority.file), only=True))
        looked = await check(server.endpoint(security), trust=Trust())
    assert (believed.verdict, alone.verdict, looked.verdict) == (Verdict.PASS, Verdict.PASS, Verdict.FAIL)
    assert looked.last.tls is not None
    assert not key_log.exists()


async def test_the_web_writes_no_keys(key_log: Path, authority: Authority) -> None:
    async with WebServer(authority, {"https://autoconfig.firm.test/": Page(b"yes")}) as server:
        web = HttpWeb(Trust(str(authority.file)), 5.0, lambda host, port: ("127.0.0.1", server.ports[port]))
        assert isinstance(await web.fetch("https://autoconfig.firm.test/"), FetchedDocument)
    assert not key_log.exists()


async def test_a_sign_in_in_the_browser_writes_no_keys(key_log: Path, authority: Authority) -> None:
    async with WebServer(authority, {}, names=("localhost",)) as server:
        base = f"https://localhost:{server.ports[443]}"
        described = OAuthServer(name="Ours", authorize=f"{base}/auth", token=f"{base}/token", scopes=("smtp",))
        client = RegisteredClient("ours", None)
        grant = Grant(
            client_id="ours",
            client_secret=None,
            refresh_token=Secret("refresh me"),
            token_url=described.token,
            granted=NOON,
            renewed=NOON,
            ends=None,
        )
        with suppress(OAuthError):  # it is asked; that it has nothing to say is another matter
            await OAuthClient(described, client, trust=Trust(str(authority.file))).renew(grant)
        assert server.requests == [f"POST {base}/token"]
    assert not key_log.exists()


async def test_the_practice_server_writes_no_keys(key_log: Path, tmp_path: Path) -> None:
    async with Sandbox(tmp_path / "practice", load_scenarios()["accept"]) as box:
        trust = Trust(str(box.ca_file), only=True)
        endpoint = box.endpoint(Security.TLS)
        done = await check(
            Endpoint(endpoint.host, endpoint.port, Security.TLS), trust=trust, secret=Secret(practice_password())
        )
    assert done.verdict is Verdict.PASS
    assert not key_log.exists()


async def test_the_program_writes_no_keys(key_log: Path, authority: Authority) -> None:
    """As a process of its own, with the variable in its environment from the beginning."""
    context = authority.issue("localhost", "127.0.0.1").context()
    async with MisbehavingServer([*tls_up_to_auth(context), Hold()], strict=False) as server:
        where = [f"127.0.0.1:{server.port}", "--security", "tls", "--ca-file", str(authority.file)]
        ran = await asyncio.to_thread(run_process, "check", *where, "--json")
        assert b"EHLO" in server.received
    assert ran.code == 0
    assert not key_log.exists()


def test_nobody_makes_a_context_that_heeds_the_variable() -> None:
    """Only `create_default_context` does, and whoever leaves a library to make its own, as `verify=True` does."""
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            heeds = called.endswith(("create_default_context", "_create_unverified_context", "urlopen"))
            client = called.endswith(("AsyncClient", "AsyncHTTPTransport", "Transport"))
            given = isinstance(node, ast.Call) and {each.arg for each in node.keywords} & {"verify"}
            if heeds or (client and not given):
                wrong.append(f"{path.name}: {called}")
    assert wrong == []
