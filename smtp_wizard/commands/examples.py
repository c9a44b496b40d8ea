"""The examples in the help of each command. Every one is run by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Example(NamedTuple):
    """One call of the program."""

    line: str
    what: str
    """What it is for, in a few words."""


def _calls(*pairs: tuple[str, str]) -> Sequence[Example]:
    return tuple(Example(f"smtp-wizard {line}".rstrip(), what) for line, what in pairs)


EXAMPLES: Mapping[str, Sequence[Example]] = MappingProxyType(
    {
        "setup": _calls(
            ("setup ana@example.com", "opens the wizard at this address"),
            (
                "setup ana@example.com --host mail.example.com --port 587 --security starttls --username ana "
                "--env-name MAIL_PASSWORD --save Jobs",
                "asks nothing, tests, and saves the account",
            ),
        ),
        "check": _calls(
            ("check mail.example.com", "which ports serve, and how"),
            ("check mail.example.com:587 --security starttls --json", "one port, for a script"),
        ),
        "test": _calls(
            ("test Office", "signs in, and sends nothing"),
            ("test --all --changed", "for cron: one line a change, silent otherwise"),
            ("test 'Shop*' --only failing --format jsonl", "those again that failed, a line each as it comes"),
            ("test --all --format nagios", "for a monitoring system"),
        ),
        "history": _calls(("history Office", "the last results, and how long each took")),
        "calendar": _calls(
            ("calendar", "what will end for the saved accounts"),
            ("calendar --catalogue --ics ends.ics", "for a calendar program, with all that providers announced"),
        ),
        "send": _calls(("send Office --to me@elsewhere.example", "sends one test message")),
        "accounts": _calls(("accounts", "all of them, with their last results"), ("accounts --json", "for a script")),
        "accounts show": _calls(("accounts show Office", "everything but the password")),
        "accounts edit": _calls(("accounts edit Office --sender-name 'Ana of Firm'", "tested before it is saved")),
        "accounts rename": _calls(("accounts rename Office Bureau", "the password comes along")),
        "accounts password": _calls(
            ("accounts password Office --password-env MAIL_PASSWORD", "tried at once, kept if it works")
        ),
        "accounts tag": _calls(("accounts tag 'Shop*' --add north", "then: test --tag north")),
        "accounts duplicate": _calls(("accounts duplicate Office --as 'Office 2'", "the same settings once more")),
        "accounts remove": _calls(("accounts remove Office --yes", "with its password")),
        "vault": _calls(("vault", "where it is, and who uses it")),
        "vault passphrase": _calls(
            ("vault passphrase --passphrase-env OLD_PASSPHRASE --new-passphrase-env NEW_PASSPHRASE", "another one")
        ),
        "discover": _calls(("discover ana@example.com", "each value with who names it")),
        "providers": _calls(("providers gmail", "those that this means")),
        "providers show": _calls(("providers show gmail", "all that is known, with sources and dates")),
        "providers verify": _calls(("providers verify sandbox", "speaks to its servers, without a password")),
        "provider": _calls(("provider gmail", "all that is known of it")),
        "provider show": _calls(("provider show gmail", "the same")),
        "provider new": _calls(
            ("provider new --name Example --host mail.example.com", "tries it, and adds it to your list")
        ),
        "provider export": _calls(("provider export gmail --format ispdb", "as Thunderbird reads it")),
        "limits": _calls(("limits gmail", "how much may be sent"), ("limits --csv", "all of them, for a table")),
        "limits plan": _calls(
            ("limits plan --provider gmail --recipients 5000 --reserve 10%", "over how many days a mailing goes")
        ),
        "guide": _calls(("guide", "all of them"), ("guide gmail-app-password", "step by step")),
        "explain": _calls(
            ("explain error.txt", "a pasted error, log or bounce"),
            ("explain - --stage auth --host mail.example.com", "from standard input, with what is known besides"),
        ),
        "unsubscribe": _calls(
            ("unsubscribe list@example.com", "link, HTML and headers for a mailing"),
            ("unsubscribe --check letter.html", "looks through a template"),
        ),
        "sandbox": _calls(("sandbox --scenario quota-reached", "runs until Ctrl-C")),
        "sandbox mailbox": _calls(("sandbox mailbox", "what arrived in it")),
        "sandbox mailbox show": _calls(("sandbox mailbox show KEY", "one message; its key stands in the list")),
        "domain": _calls(("domain example.com", "are SPF, DKIM and DMARC in order?")),
        "doctor": _calls(("doctor", "what this installation can and cannot do")),
        "schema": _calls(("schema test", "the JSON Schema of `test --json`")),
        "manual": _calls(("manual > smtp-wizard.1", "then: man -l smtp-wizard.1")),
        "completion": _calls(("completion bash > ~/.smtp-wizard-completion", "then source that file in ~/.bashrc")),
    }
)
"""By the words that call the command."""
