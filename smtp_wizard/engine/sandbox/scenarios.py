"""What the practice server can play, read from data/sandbox.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument

LONGEST_DELAY = 5
"""Seconds that a scenario may let one answer wait: a rehearsal shows slowness, it does not waste an afternoon."""


class CertificateKind(StrEnum):
    """Which certificate a scenario shows."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"


class SignInRule(StrEnum):
    """Who is let in."""

    PRACTICE = "practice-password"
    """Any user name with the practice password."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A refusal, in the words of the provider that a scenario imitates (RFC 5321 section 4.2, RFC 3463)."""

    code: int
    enhanced: str
    """Empty where the provider sends none."""
    words: tuple[str, ...]
    """One entry a line."""

    def __str__(self) -> str:
        """The reply as it is sent, without the last line end."""
        enhanced = f"{self.enhanced} " if self.enhanced else ""
        last = len(self.words) - 1
        return "\r\n".join(
            f"{self.code}{' ' if at == last else '-'}{enhanced}{line}" for at, line in enumerate(self.words)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that the practice server can play."""

    id: str
    title: str
    what: str
    """One sentence for somebody who has never heard of SMTP."""
    ports: Mapping[Security, int]
    """Preferred ports, STARTTLS first."""
    certificate: CertificateKind
    auth: SignInRule
    practice_password: str
    """Not a secret. Blanks in it don't matter."""
    replies: Mapping[Stage, ScriptedReply] = field(default_factory=dict)
    """The refusals, by the stage at which they come. A stage that is missing goes well."""
    implicit_tls: bool = True
    """False: the port where TLS is expected from the first byte begins in clear text and wants STARTTLS."""
    delays: Mapping[Stage, int] = field(default_factory=dict)
    """Seconds that the answer of a stage takes."""
    drops: Stage | None = None
    """The stage in which the line is cut instead of an answer. At `data` that is after the whole message came, and was
    kept."""
    imitates: str = ""
    """Whose words these are."""
    source: str = ""
    """Where those words were seen."""


_REPLY_STAGES = (Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA)
_DELAY_STAGES = (Stage.GREETING, Stage.EHLO, *_REPLY_STAGES)
REFUSED = ScriptedReply(535, "5.7.8", ("Authentication credentials invalid: this is not the practice password",))
"""What is said to who is not let in, unless a scenario says it in other words."""


def load_scenarios(path: Path | None = None) -> dict[str, Scenario]:
    """Read data/sandbox.yaml, or `path`; return the scenarios by id, in the file's order. Raises `DataError`."""
    return YamlDocument(path or data_path("sandbox.yaml")).root.read(_read_scenarios)


@functools.cache
def practice_password() -> str:
    """Return the practice password as it is shown to people. Raises `DataError`."""
    return next(iter(load_scenarios().values())).practice_password


def _read_scenarios(root: Node) -> dict[str, Scenario]:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    password = root.text("practice_password")
    found: dict[str, Scenario] = {}
    ports: set[int] = set()
    for node in root.children("scenarios"):
        scenario = node.read(partial(_read_scenario, password=password))
        if scenario.id in found:
            raise node.error("id", "stands twice")
        if ports & set(scenario.ports.values()):
            raise node.error("ports", "a port stands twice")
        ports |= set(scenario.ports.values())
        found[scenario.id] = scenario
    if not found:
        raise root.error("scenarios", "must not be empty")
    return found


def _read_scenario(node: Node, password: str) -> Scenario:
    scenario = Scenario(
        id=node.text("id"),
        title=node.text("title"),
        what=node.text("what"),
        ports=node.child("ports").read(_read_ports),
        certificate=node.choice("certificate", CertificateKind),
        auth=node.choice("auth", SignInRule),
        practice_password=password,
        replies=_read_replies(node),
        implicit_tls=node.flag("implicit_tls", True),
        delays=_read_delays(node),
        drops=node.choice("drops", Stage) if node.has("drops") else None,
        imitates=node.text_or("imitates"),
        source=node.text_or("source"),
    )
    if scenario.auth is SignInRule.REFUSE and Stage.AUTH not in scenario.replies:
        raise node.error("replies", f"auth is '{scenario.auth}', so the reply 'auth' must be there")
    if scenario.drops is not None and scenario.drops not in _DELAY_STAGES:
        raise node.error("drops", f"must be one of: {', '.join(_DELAY_STAGES)}")
    return scenario


def _read_ports(node: Node) -> dict[Security, int]:
    ports = {security: node.whole(security) for security in (Security.STARTTLS, Security.TLS)}
    for security, port in ports.items():
        if not 1024 <= port <= 65535:
            raise node.error(security, "must be from 1024 to 65535")
    if len(set(ports.values())) < len(ports):
        raise node.error(None, "must differ")
    return ports


def _read_replies(node: Node) -> dict[Stage, ScriptedReply]:
    replies = node.maybe_child("replies")
    if replies is None:
        return {}
    return replies.read(lambda those: {s: those.child(s).read(_read_reply) for s in _REPLY_STAGES if those.has(s)})


def _read_delays(node: Node) -> dict[Stage, int]:
    delays = node.maybe_child("delays")
    if delays is None:
        return {}
    return delays.read(lambda those: {s: _read_seconds(those, s) for s in _DELAY_STAGES if those.has(s)})


def _read_seconds(node: Node, key: str) -> int:
    seconds = node.whole(key)
    if not 1 <= seconds <= LONGEST_DELAY:
        raise node.error(key, f"must be from 1 to {LONGEST_DELAY} seconds")
    return seconds


def _read_reply(node: Node) -> ScriptedReply:
    reply = ScriptedReply(node.whole("code"), node.text_or("enhanced"), node.texts("words"))
    if not 400 <= reply.code <= 599:
        raise node.error("code", "must be from 400 to 599: only refusals are scripted")
    if reply.enhanced and reply.enhanced[:2] != f"{reply.code // 100}.":
        raise node.error("enhanced", "its first figure must be that of the code")
    # RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets.
    if not reply.words or not all(line.isascii() and line.isprintable() and len(line) <= 480 for line in reply.words):
        raise node.error("words", "must be lines of at most 480 printable ASCII characters")
    return reply
