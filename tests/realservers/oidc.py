"""A real OAuth server for the tests, a small browser that signs in there, and mail servers that take its tokens.

    with run_oidc() as oauth, run_token_mail(oauth) as mail:
        tokens = oauth.sign_in(ALICE.address)                  # device flow, signed in and agreed to in one go
        oauth.refresh(tokens)                                  # rotates: the old refresh token dies, and using it
                                                               # again kills the new one too
        Browser(ALICE.address).open(address)                   # what a person does with any address of a flow
        mail[OPAQUE].starttls_port

`OPAQUE` tokens are looked up by Dovecot at the OAuth server; `JWT` and `LARGE` ones (2.7 k, as large as Microsoft's) it
checks by itself. The client ids are public native ones: no secret, PKCE asked for, loopback redirects on any port.
Everybody can sign in as anybody. Needs what tools/install_real.sh installs.
"""

from __future__ import annotations

import contextlib
import html.parser
import http.cookiejar
import json
import secrets
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Any

from tests.realservers.servers import (
    DOMAIN,
    SESSION_BEGIN,
    SESSION_END,
    SIGN_IN,
    MailServer,
    ServerTrouble,
    certificates,
    dovecot_version,
    ending_master,
    greets,
    program,
    run_dovecot,
    running,
    server_folder,
    services,
    write_postfix,
    write_users,
)
from tests.support.patience import PATIENCE
from tests.support.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".make" / "oidc" / "node_modules"
SCRIPT = Path(__file__).with_name("oidc") / "provider.mjs"

OPAQUE = "wizard"
"""Client id whose access tokens are 43 letters that mean nothing."""
JWT = "wizard-jwt"
"""Client id whose access tokens are JSON Web Tokens."""
LARGE = "wizard-large"
"""Client id whose access tokens are as large as Microsoft's: 2.7 k."""
CLIENTS: Mapping[str, Mapping[str, object]] = {
    OPAQUE: {"kind": "opaque"},
    JWT: {"kind": "jwt"},
    LARGE: {"kind": "jwt", "padding": 1500},
}

MAIL = "openid offline_access smtp"
"""The scope that lets one send mail, now and later."""
NO_MAIL = "openid offline_access"
"""A scope that does not."""

BEARER: Mapping[str, str] = {OPAQUE: "bearer", JWT: "bearer-jwt", LARGE: "bearer-jwt"}
"""By client: the mail server that takes the same tokens by OAUTHBEARER alone. The others take them by XOAUTH2 too."""
SCRAM = "scram"
"""Not a client: the mail server that offers SCRAM-SHA-256 and nothing else, with passwords."""
CRAM = "cram"
"""The same with CRAM-MD5."""


class OAuthRefused(Exception):
    """The OAuth server said no; `error` is its word for it (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(f"{error}: {description}")
        self.error = error


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one got by signing in."""

    access: str
    refresh: str
    client: str


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the device shows, and what it asks with."""

    code: str
    user_code: str
    address: str
    """Where the person goes, the code in it already."""
    client: str


@dataclass(frozen=True, slots=True)
class TokenServer:
    """The OAuth server that runs."""

    issuer: str
    key_id: str
    public_key: str
    """PEM, of the key that signs the JSON Web Tokens."""
    secret: str
    """Of the mail server's own client, `dovecot`."""

    @property
    def authorize(self) -> str:
        """The authorisation endpoint."""
        return f"{self.issuer}/auth"

    @property
    def token(self) -> str:
        """The token endpoint."""
        return f"{self.issuer}/token"

    @property
    def device(self) -> str:
        """The endpoint of the device flow (RFC 8628)."""
        return f"{self.issuer}/device/auth"

    @property
    def revocation(self) -> str:
        """The revocation endpoint (RFC 7009)."""
        return f"{self.issuer}/token/revocation"

    def begin_device(self, *, client: str = OPAQUE, scope: str = MAIL) -> DeviceCode:
        """Begin a device flow."""
        answer = self._post(self.device, client_id=client, scope=scope)
        return DeviceCode(answer["device_code"], answer["user_code"], answer["verification_uri_complete"], client)

    def finish_device(self, begun: DeviceCode) -> Tokens:
        """Ask once for the tokens of a device flow. Raises `OAuthRefused`: authorization_pending and the like."""
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        answer = self._post(self.token, grant_type=grant, device_code=begun.code, client_id=begun.client)
        return Tokens(answer["access_token"], answer.get("refresh_token", ""), begun.client)

    def sign_in(self, login: str, *, client: str = OPAQUE, scope: str = MAIL) -> Tokens:
        """Return fresh tokens of whoever has the mailbox `login`."""
        begun = self.begin_device(client=client, scope=scope)
        Browser(login).open(begun.address)
        return self.finish_device(begun)

    def refresh(self, tokens: Tokens) -> Tokens:
        """Trade the refresh token for new tokens. Raises `OAuthRefused` (invalid_grant) when it is spent."""
        answer = self._post(
            self.token, grant_type="refresh_token", refresh_token=tokens.refresh, client_id=tokens.client
        )
        return Tokens(answer["access_token"], answer["refresh_token"], tokens.client)

    def redeem(self, code: str, *, verifier: str, redirect: str, client: str = OPAQUE) -> Tokens:
        """Trade an authorisation code, with the verifier of PKCE (RFC 7636), for tokens."""
        answer = self._post(
            self.token,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=redirect,
            client_id=client,
        )
        return Tokens(answer["access_token"], answer.get("refresh_token", ""), client)

    def revoke(self, tokens: Tokens) -> None:
        """Make the access token invalid before its time. Only opaque ones can be: nobody asks about the others."""
        self._post(self.revocation, token=tokens.access, client_id=tokens.client)

    def _post(self, address: str, **form: str) -> dict[str, Any]:
        request = urllib.request.Request(address, urllib.parse.urlencode(form).encode())
        try:
            with _opener().open(request, timeout=PATIENCE) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as refused:
            with refused:
                said = json.loads(refused.read())
            raise OAuthRefused(said["error"], said.get("error_description", "")) from None


@dataclass(frozen=True, slots=True)
class Page:
    """Where the browser came to rest."""

    address: str
    text: str


@dataclass
class Browser:
    """A browser without a screen, and somebody in front of it who signs in as `login` and agrees to everything."""

    login: str
    cookies: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def open(self, address: str, *, follow_home: bool = True) -> Page:
        """Go to an address, follow where it leads, and submit the first form of every page that has one.

        Ends at a page without a form, or at the first address of another server: that of the program that waits for
        the answer. It is fetched too, unless `follow_home` is False. Raises `ServerTrouble` when it goes in circles.
        """
        request = urllib.request.Request(address)
        for _ in range(20):
            status, headers, text = self._fetch(request)
            here = request.full_url
            if 300 <= status < 400:
                there = urllib.parse.urljoin(here, headers["Location"])
                if _server(there) != _server(address):
                    return Page(there, self._fetch(urllib.request.Request(there))[2] if follow_home else "")
                request = urllib.request.Request(there)
                continue
            form = _FirstForm.read(text)
            if status >= 400 or form is None:
                return Page(here, text)
            body = urllib.parse.urlencode(form.filled(self.login)).encode()
            request = urllib.request.Request(urllib.parse.urljoin(here, form.action or here), body)
        raise ServerTrouble(f"the browser goes in circles at {request.full_url}")

    def _fetch(self, request: urllib.request.Request) -> tuple[int, Message, str]:
        opener = _opener(urllib.request.HTTPCookieProcessor(self.cookies), _Stay())
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers, answer.read().decode("utf-8", "replace")


def _server(address: str) -> str:
    return urllib.parse.urlsplit(address).netloc


def _opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the browser does that itself."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        return None


class _FirstForm(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its fields. Buttons are left alone: one of them aborts."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = self._seen = False

    @classmethod
    def read(cls, page: str) -> _FirstForm | None:
        """Return the form, or None where there is none."""
        form = cls()
        form.feed(page)
        return form if form._seen else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and not self._seen:
            self._inside = self._seen = True
            self.action = found.get("action")
        elif tag == "input" and self._inside and found.get("name") and found.get("type") not in ("submit", "button"):
            self.fields[str(found["name"])] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"

    def filled(self, login: str) -> dict[str, str]:
        """The fields as somebody fills them in."""
        typed = {"login": login, "password": "any will do"}
        return {name: typed.get(name, value) for name, value in self.fields.items()}


@contextlib.contextmanager
def run_oidc() -> Iterator[TokenServer]:
    """Run the OAuth server. Raises `ServerTrouble` when it is missing or does not start."""
    if not (LIBRARY / "oidc-provider").is_dir():
        raise ServerTrouble("oidc-provider is not installed: tools/install_real.sh does that")
    with server_folder() as folder:
        (port,) = free_ports(1)
        secret = secrets.token_hex(16)
        settings = {"library": str(LIBRARY), "port": port, "clients": CLIENTS, "secret": secret, "domain": DOMAIN}
        node = shutil.which("node") or program("nodejs")
        output = folder / f"{Path(node).name}.output"

        def ready() -> dict[str, str] | None:
            lines = output.read_text("utf-8", "replace").splitlines(keepends=True)
            said = [line for line in lines if line.startswith("{") and line.endswith("\n")]
            return dict(json.loads(said[0])) if said else None

        with running([node, str(SCRIPT), json.dumps(settings)], folder, output, lambda: ready() is not None):
            started = ready()
            assert started is not None
            yield TokenServer(started["issuer"], started["keyId"], started["publicKey"], secret)


@contextlib.contextmanager
def run_token_mail(oauth: TokenServer) -> Iterator[Mapping[str, MailServer]]:
    """Run one Postfix with a pair of ports for each way to sign in, and a Dovecot for each.

    Return the servers by the kind of token that they take, `OPAQUE`, `JWT` (and `LARGE`, which is the same), the names
    in `BEARER`, and `SCRAM` and `CRAM` for passwords. They share their mailboxes. Raises `ServerTrouble` when something
    is missing.
    """
    if not dovecot_version().startswith("2.3."):
        raise ServerTrouble("these tests know how Dovecot 2.3 is told to take tokens, and this is another")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        authority, certificate = certificates(folder)
        log, lines, found, dovecots = folder / "postfix.log", "", {}, []
        for kind, settings in _sign_ins().items():
            place = folder / kind
            place.mkdir(mode=0o755)
            write_users(place)
            for name, text in _files(oauth).items():
                file = place / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text.replace("FOLDER", str(place)), "utf-8")
            dovecots.append(stack.enter_context(run_dovecot(place, settings)))
            starttls_port, tls_port = free_ports(2)
            lines += services(starttls_port, tls_port, f"smtpd_sasl_path={place}/auth")
            found[kind] = MailServer(
                starttls_port=starttls_port,
                tls_port=tls_port,
                ca_file=authority.file,
                log=log,
                mail=folder / "mail",
                session_end=SESSION_END,
                sign_in=SIGN_IN,
                session_begin=SESSION_BEGIN,
            )
        config = write_postfix(folder, certificate, lines)
        command = [program("postfix"), "-c", str(config), "start-fg"]
        up = list(found.values())
        stack.enter_context(running(command, folder, log, lambda: all(greets(each.starttls_port) for each in up)))
        stack.enter_context(ending_master(folder / "queue" / "pid" / "master.pid"))
        yield {**found, LARGE: found[JWT]}
        # Each takes a second to end, so all are asked at once before each is waited for.
        for dovecot in dovecots:
            dovecot.terminate()


def _sign_ins() -> dict[str, str]:
    """Dovecot's settings for each way to sign in."""
    return {
        OPAQUE: WITH_TOKENS.replace("HOW", "introspection"),
        JWT: WITH_TOKENS.replace("HOW", "local"),
        BEARER[OPAQUE]: WITH_TOKENS.replace("HOW", "introspection").replace("xoauth2 ", ""),
        BEARER[JWT]: WITH_TOKENS.replace("HOW", "local").replace("xoauth2 ", ""),
        SCRAM: WITH_PASSWORDS.replace("MECHANISM", "scram-sha-256"),
        CRAM: WITH_PASSWORDS.replace("MECHANISM", "cram-md5"),
    }


def _files(oauth: TokenServer) -> dict[str, str]:
    host = oauth.issuer.removeprefix("http://")
    return {
        "introspection.conf": (
            "introspection_mode = post\n"
            f"introspection_url = http://dovecot:{oauth.secret}@{host}/token/introspection\n"
            "username_attribute = email\nactive_attribute = active\nactive_value = true\nscope = smtp\n"
        ),
        "local.conf": (
            "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix=FOLDER/keys/\n"
            f"username_attribute = email\nscope = smtp\nissuers = {oauth.issuer}\n"
        ),
        f"keys/default/RS256/{oauth.key_id}": oauth.public_key,
    }


WITH_TOKENS = """\
auth_mechanisms = xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = FOLDER/HOW.conf
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent allow_all_users=yes
}
"""

WITH_PASSWORDS = """\
auth_mechanisms = MECHANISM
passdb {
  driver = passwd-file
  args = username_format=%u FOLDER/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
"""
