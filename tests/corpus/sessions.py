"""The calls whose output is recorded: each session is one or more commands in a configuration folder of its own.

Nothing here knows how the program is built. A session names what it starts from (files as somebody has them), what is
typed, and the servers that answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PASSWORD = "abcdefgh ijklmnop"
PRACTICE = (
    *("setup", "ana@sandbox.test", "--path", "accept", "--username", "ana@sandbox.test"),
    *("--store", "env", "--env-name", "OFFICE_PASSWORD", "--save", "Office"),
)


@dataclass(frozen=True)
class Call:
    """One command line."""

    arguments: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True)
class Session:
    """Calls that follow each other in one configuration folder; `files` lie there from the beginning."""

    name: str
    calls: tuple[Call, ...]
    files: dict[str, str] = field(default_factory=dict)
    """Name in the configuration folder: name in tests/corpus/files."""
    keeps: tuple[str, ...] = ()
    """Files of the configuration folder that are recorded afterwards."""


def _call(line: str, stdin: str = "") -> Call:
    return Call(tuple(line.split()), stdin)


COMMANDS = (
    *("accounts", "accounts duplicate", "accounts edit", "accounts password", "accounts remove", "accounts rename"),
    *(
        "accounts show",
        "check",
        "discover",
        "doctor",
        "domain",
        "explain",
        "guide",
        "history",
        "limits",
        "limits plan",
        "provider",
        "provider export",
        "provider new",
        "providers",
    ),
    *("providers show", "providers verify", "sandbox", "sandbox mailbox", "schema", "send", "senders", "setup", "test"),
    *("unsubscribe", "vault", "vault passphrase"),
)

SAVED = {"accounts.json": "accounts.json"}
"""Three practice accounts: one that works, one whose password is refused, one kept nowhere."""

FORMS = ("plain", "json", "jsonl", "junit", "nagios", "prometheus")

SCENARIOS = (
    *("accept", "app-password-required", "expired-certificate", "greylisting", "quota-reached", "sender-not-allowed"),
    *("starttls-only", "tenant-off", "wrong-name", "wrong-password"),
)

ERRORS = {
    "refused-password": "535-5.7.8 Username and Password not accepted. For more information, go to\n"
    "535 5.7.8 https://support.example.com/mail/?p=BadCredentials\n",
    "python": 'Traceback (most recent call last):\n  File "send.py", line 9, in <module>\n'
    "smtplib.SMTPAuthenticationError: (535, b'5.7.3 Authentication unsuccessful')\n",
    "log": "Nov 24 06:30:01 mx postfix/smtp[811]: 4F0A: to=<ben@firm.example>, relay=mail.firm.example[192.0.2.7]:25, "
    "delay=0.4, dsn=5.1.1, status=bounced (host mail.firm.example said: 550 5.1.1 <ben@firm.example>: Recipient "
    "address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))\n",
    "timeout": "Connection to mail.firm.example:587 timed out (ETIMEDOUT)\n",
    "certificate": "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: Hostname mismatch, certificate is not "
    "valid for 'mail.firm.example'. (_ssl.c:1006)\n",
    "nothing": "The quick brown fox jumps over the lazy dog.\n",
    "hostile": "550 \x1b[2J\u202egnp.exe \x00 5.7.1 Relaying denied\n",
    "empty": "",
}

BOUNCE = """\
From: Mail Delivery System <MAILER-DAEMON@mail.firm.example>
Subject: Undelivered Mail Returned to Sender
To: ana@firm.example
Content-Type: multipart/report; report-type=delivery-status; boundary="B"
MIME-Version: 1.0

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.firm.example

Final-Recipient: rfc822; ben@gmial.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 The email account that you tried to reach does not exist.

--B--
"""

JSON_LINES = (
    '{"text": "535 5.7.8 Error: authentication failed", "stage": "auth"}\n'
    '{"text": "554 5.7.1 Relay access denied", "stage": "rcpt", "settings": {"port": 25}}\n'
    '{"text": ""}\n'
)

TEMPLATE = """\
<html><body><p>Our offers of the week.</p>
<p><a href="https://firm.example/unsubscribe?u=%ID%">Unsubscribe</a></p></body></html>
"""


def sessions() -> tuple[Session, ...]:
    """Return all of them; each name is the name of a file in tests/corpus/expected."""
    return (
        Session("help", tuple(_call(f"{each} --help") for each in ("", *COMMANDS))),
        Session("usage", tuple(map(_call, WRONG))),
        Session("schemas", (_call("schema"), *(_call(f"schema {each}") for each in SCHEMAS), _call("schema nonsense"))),
        Session("knowledge", tuple(map(_call, KNOWLEDGE))),
        *(Session(f"explain-{name}", _explained(text)) for name, text in ERRORS.items()),
        Session("explain-bounce", _explained(BOUNCE)),
        Session("explain-lines", (_call("explain --jsonl", JSON_LINES), _call("explain --jsonl", '{"text": 5}\nno\n'))),
        Session("unsubscribe", _unsubscribing()),
        Session("accounts", tuple(map(_call, MANAGING)), SAVED, ("accounts.json",)),
        Session("accounts-damaged", tuple(map(_call, READING)), {"accounts.json": "accounts-damaged.json"}),
        Session("accounts-newer", tuple(map(_call, READING)), {"accounts.json": "accounts-newer.json"}),
        Session("own-providers", tuple(map(_call, OWN)), {"providers.yaml": "providers.yaml"}),
        Session("own-providers-damaged", tuple(map(_call, OWN[:3])), {"providers.yaml": "providers-damaged.yaml"}),
        Session(
            "vault", tuple(map(_call, IN_VAULT)), {"vault.json": "vault.json", "accounts.json": "accounts-vault.json"}
        ),
        *(Session(f"test-{form}", (_call(f"test --all --concurrency 1 --format {form}"),), SAVED) for form in FORMS),
        Session("test-verbose", (_call("test Office -v"), _call("test Nobody"), _call("test Offce --json")), SAVED),
        *(Session(f"setup-{scenario}", _set_up(scenario)) for scenario in SCENARIOS),
        Session("setup-saved", _saving(), {}, ("accounts.json",)),
        Session("send", (_call("send Office --to ben@elsewhere.example --json"), _call("sandbox mailbox")), SAVED),
    )


WRONG = (
    *("nonsense", "tst", "--nonsense", "check", "check a_b", "check mail.firm.example:99999", "setup", "setup ana"),
    *("setup ana@sandbox.test --json", "test", "test Nobody --json", "send", "send Nobody --to ben@firm.example"),
    *("guide nonsense", "providers show nonsense", "providers show gmial --json", "limits plan", "discover ana"),
    *("explain nonsense.txt", "check 127.0.0.1:465 --password hunter2", "accounts show Nobody --json"),
)

SCHEMAS = (
    *(
        "accounts",
        "check",
        "discover",
        "doctor",
        "error",
        "explain",
        "guides",
        "history",
        "limits",
        "providers",
        "sandbox",
    ),
    *("send", "setup", "test", "test-line", "unsubscribe", "vault"),
)

KNOWLEDGE = (
    *("providers show custom", "providers show sandbox --json", "providers custom", "limits sandbox"),
    *("guide basic", "guide sandbox", "discover ana@sandbox.test", "discover ana@sandbox.test --json"),
)

MANAGING = (
    *("accounts", "accounts --json", "accounts show Office", "accounts show office --json", "accounts show Offce"),
    *("accounts rename Office Bureau", "accounts duplicate Bureau", "accounts duplicate Bureau Shop --json"),
    *("accounts rename Bureau Shop", "accounts remove Shop --yes", "accounts remove Nobody --yes --json", "accounts"),
)

READING = (
    "accounts",
    "accounts --json",
    "test --all",
    "test --all --json",
    "accounts rename Office Shop",
    "doctor --nonsense",
)

OWN = (
    "providers firm",
    "providers show firm-hosting",
    "limits firm-hosting",
    "discover ana@firm-hosting.example --json",
)

IN_VAULT = (
    *("vault", "vault --json", "test Safe", "test Safe --passphrase-env SAFE_PASSPHRASE"),
    *("test Safe --json --passphrase-env WRONG_PASSPHRASE",),
)


def _explained(text: str) -> tuple[Call, ...]:
    return (
        _call("explain -", text),
        _call("explain - --json", text),
        _call("explain - --stage auth --host smtp.firm.example --port 587 --json", text),
    )


def _unsubscribing() -> tuple[Call, ...]:
    return (
        _call("unsubscribe list@firm.example"),
        _call("unsubscribe list@firm.example --url https://firm.example/u --json"),
        _call("unsubscribe --check -", TEMPLATE),
        _call("unsubscribe --check - --json", TEMPLATE),
        _call("unsubscribe --check - --json", "Subject: Offers\n\nNo way off.\n"),
    )


def _set_up(scenario: str) -> tuple[Call, ...]:
    typed = "my usual password" if scenario == "app-password-required" else PASSWORD
    line = f"setup ana@sandbox.test --path {scenario} --username ana@sandbox.test --password-stdin --store session"
    return (
        _call(line, typed),
        _call(f"{line} --json", typed),
        _call(f"{line} --send-test ben@elsewhere.example --json", typed),
    )


def _saving() -> tuple[Call, ...]:
    return (
        Call(PRACTICE),
        Call((*PRACTICE, "--json")),
        Call((*PRACTICE, "--json", "--replace", "--scope", "all", "--sender-name", "Ana of Firm")),
        _call("accounts --json"),
        _call("accounts edit Office --scope general --json"),
        _call("accounts password Office --json"),
    )
