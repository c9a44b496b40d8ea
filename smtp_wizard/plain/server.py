"""Server: host, security, port and user name by hand, and 'test', which sends no password."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from smtp_wizard.engine.base.endpoint import USUAL_PORTS, Endpoint, Security, parse_host, parse_port
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.scan.results import PortScanned, ScanEvent
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.server_confirmation import doubt_about, server_was_discovered
from smtp_wizard.engine.wizard.steps import Next, may_be_nameless, with_typed_username
from smtp_wizard.output.lines import endpoint_words, finding_lines
from smtp_wizard.plain.checks import CompletedCheck, awaited
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order, once_confirmed
from smtp_wizard.plain.reaching import find_out, network_choice
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.network import (
    Unreached,
    common_finding,
    conclusion,
    port_row_words,
    taken_words,
    unreached,
    unreached_after,
    unreached_ports,
)
from smtp_wizard.text.wizard import (
    CLEARTEXT_NO,
    CLEARTEXT_YES,
    NAME_FROM_PROVIDER,
    NO_SIGN_IN,
    SECURITY_TITLES,
    SERVER_GOOD,
    SERVER_QUESTION,
    cleartext_question,
    parse_reply_to,
)


def server(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The settings that an application asks for. The test proves server and port, and says that it proved no more."""
    talk.say(SERVER_QUESTION)
    questions = [Question(each) for each in (_host, _security, _port, _username, _sender, _settings)]
    clear = Question(_cleartext, lambda each: each.connection.awaits_consent)
    doubtful = Question(_confirmed, lambda each: doubt_about(each, kit.desk.catalog) is not None)
    outcome = ask_in_order(talk, kit, draft, [*questions, doubtful, clear])
    return Next(outcome.draft.confirmed()) if isinstance(outcome, Next) else outcome


def _confirmed(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """A server that nobody has confirmed needs a yes; after a no another one is typed. Raises `GoBack`."""
    agreed = once_confirmed(talk, kit, draft)
    if agreed is None:
        raise GoBack(draft, to_first=True)
    return agreed


def _host(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    known = draft.connection.endpoint
    typed = draft.typed.get("host", known.host if known else "")
    host = talk.ask("Outgoing server, for example smtp.example.com", parse_host, default=typed)
    endpoint = replace(known, host=host) if known else Endpoint(host, USUAL_PORTS[Security.TLS], Security.TLS)
    return draft.with_typed_endpoint(endpoint).with_typed("host", None)


def _security(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """The port follows."""
    endpoint = _known(draft)
    rows = [Choice(each, title, note) for each, (title, note) in SECURITY_TITLES.items()]
    security = talk.choose("Secure connection:", rows, endpoint.security)
    return draft.with_endpoint(endpoint.with_security(security))


def _port(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    endpoint = _known(draft)
    port = talk.ask("Port", parse_port, default=draft.typed.get("port", str(endpoint.port)))
    return draft.with_endpoint(replace(endpoint, port=port)).with_typed("port", None)


def _username(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    nameless = NO_SIGN_IN if may_be_nameless(draft, kit.desk.catalog) else NAME_FROM_PROVIDER
    username = talk.ask("User name", str.strip, default=draft.connection.username, optional=True, help=nameless)
    return with_typed_username(draft, kit.desk.catalog, username)


def _sender(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("sender", str(draft.from_address or ""))
    sender = talk.ask("From address", parse_reply_to, default=default, optional=True)
    identity = replace(draft.identity, sender=None if sender == draft.address else sender)
    return replace(draft, identity=identity).with_typed("sender", None)


def _known(draft: Draft) -> Endpoint:
    assert draft.connection.endpoint is not None, "the server's name was asked for first"
    return draft.connection.endpoint


# --- trying it ---


class _Action(StrEnum):
    """What can be done with the settings of a server."""

    FIX = "fix"
    GO_ON = "go-on"
    TEST = "test"
    PORTS = "ports"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class _Tried:
    """What the last test left to be done."""

    finding: Finding | None = None
    unreached: Unreached | None = None


def _settings(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Go on, or test what was entered, as often as wanted."""
    tried = _Tried()
    try:
        while True:
            action = talk.choose(f"Server: {endpoint_words(_known(draft))}.", _actions(tried))
            if action is _Action.GO_ON:
                return draft
            if action is _Action.NETWORK and tried.unreached is not None:
                find_out(talk, kit, tried.unreached)
                continue
            if action is _Action.PORTS:
                draft, tried = _usual_ports(talk, kit, draft)
                kit.keep(draft)
                continue
            if action is _Action.FIX and tried.finding is not None and tried.finding.fix is not None:
                draft = draft.with_endpoint(tried.finding.fix)
                kit.keep(draft)
            tried = _tested(talk, kit, draft)
    except GoBack:
        raise GoBack(draft) from None


def _actions(tried: _Tried) -> list[Choice[_Action]]:
    fix = tried.finding.fix if tried.finding else None
    return [
        *([Choice(_Action.FIX, f"Try {endpoint_words(fix)}", word="fix")] if fix else []),
        Choice(_Action.GO_ON, "Go on", word="on"),
        Choice(_Action.TEST, "Test server settings, without a password", word="test"),
        Choice(_Action.PORTS, "Try the usual ports", word="ports"),
        *network_choice(tried.unreached, _Action.NETWORK),
    ]


def _tested(talk: Conversation, kit: Kit, draft: Draft) -> _Tried:
    """Test server and port; return what is wrong with them."""
    checked = CompletedCheck(talk, partial(kit.desk.checks.check_draft, draft, Depth.SERVER))
    if checked.good:
        talk.say(SERVER_GOOD)
    if checked.report is None:
        return _Tried()
    wonder = unreached_after(kit.desk.scans, checked.report) if draft.connection.sandbox is None else None
    return _Tried(next(iter(checked.report.findings), None), wonder)


def _usual_ports(talk: Conversation, kit: Kit, draft: Draft) -> tuple[Draft, _Tried]:
    """Try every port that may serve, all at once, and show each as it answers; take the best."""
    host = _known(draft).host
    talk.say(f"Trying the ports of {host} ...")

    def see(event: ScanEvent) -> None:
        if isinstance(event, PortScanned):
            talk.show([f"  {port_row_words(event.result)}"])

    options, unsaid = Options(ehlo_name=draft.connection.ehlo_name), server_was_discovered(draft, kit.desk.catalog)
    work = kit.desk.scans.probe(host, see, ca_file=draft.connection.ca_file, options=options, found=unsaid)
    found = awaited(work)
    for sentence in conclusion(found, taken_words):
        talk.say(sentence)
    serving = [each.report.endpoint for each in found.serving]
    if (finding := common_finding(found)) is not None:
        talk.show(finding_lines(finding))
    tried = _Tried(unreached=unreached(kit.desk.scans, host, unreached_ports(found), serving))
    return (draft.with_endpoint(found.best.endpoint) if found.best is not None else draft), tried


def _cleartext(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """A password over an unencrypted line needs a yes, given for this server."""
    while draft.connection.awaits_consent:
        if talk.yes(cleartext_question(draft.connection.endpoint), yes=CLEARTEXT_YES, no=CLEARTEXT_NO):
            return replace(draft, connection=replace(draft.connection, allow_cleartext=True))
        draft = _port(talk, kit, _security(talk, kit, draft))
    return draft
