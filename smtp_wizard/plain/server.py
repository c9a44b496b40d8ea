"""Server: host, security, port and user name by hand, and 'test', which sends no password."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from smtp_wizard.engine.check import Event, Report
from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.model import Auth, Depth, Endpoint, InputError, Security, Verdict, parse_host, parse_port
from smtp_wizard.engine.wizard import USUAL_PORT, USUAL_PORTS, Draft
from smtp_wizard.plain.checks import Checked, awaited
from smtp_wizard.plain.form import Kit, Outcome, Question, in_order
from smtp_wizard.plain.talk import Choice, GoBack, Talk
from smtp_wizard.report import endpoint_words
from smtp_wizard.words import (
    CLEARTEXT_NO,
    CLEARTEXT_YES,
    NO_SIGN_IN,
    NO_USUAL_PORT,
    SECURITY_TITLES,
    SERVER_GOOD,
    SERVER_QUESTION,
    best_port_words,
    cleartext_question,
    parse_reply_to,
    port_words,
)


def server(talk: Talk, kit: Kit, draft: Draft) -> Outcome:
    """The settings that an application asks for. The test proves server and port, and says that it proved no more."""
    talk.say(SERVER_QUESTION)
    questions = [Question(each) for each in (_host, _security, _port, _username, _sender, _settings)]
    return in_order(talk, kit, draft, [*questions, Question(_cleartext, _needs_a_yes)])


def _host(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    known = draft.endpoint
    typed = draft.typed.get("host", known.host if known else "")
    host = talk.ask("Outgoing server, for example smtp.example.com", parse_host, default=typed)
    endpoint = replace(known, host=host) if known else Endpoint(host, USUAL_PORT[Security.TLS], Security.TLS)
    return draft.with_endpoint(endpoint).with_typed("host", None)


def _security(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """The port follows while it is one of the usual ones; a port that somebody typed stays."""
    endpoint = _known(draft)
    rows = [Choice(each, title, note) for each, (title, note) in SECURITY_TITLES.items()]
    security = Security(talk.choose("Secure connection:", rows, endpoint.security))
    follows = security is not endpoint.security and endpoint.port in USUAL_PORT.values()
    port = USUAL_PORT[security] if follows else endpoint.port
    return draft.with_endpoint(Endpoint(endpoint.host, port, security))


def _port(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    endpoint = _known(draft)
    port = talk.ask("Port", parse_port, default=draft.typed.get("port", str(endpoint.port)))
    return draft.with_endpoint(replace(endpoint, port=port)).with_typed("port", None)


def _username(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    username = talk.ask("User name", str.strip, default=draft.username, optional=True, help=NO_SIGN_IN)
    auth = Auth.NONE if not username else Auth.PASSWORD if draft.auth is Auth.NONE else draft.auth
    return replace(draft.with_sign_in(username, draft.secret), auth=auth)


def _sender(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("sender", str(draft.sender or draft.address or ""))
    sender = talk.ask("From address", parse_reply_to, default=default, optional=True)
    return replace(draft, sender=None if sender == draft.address else sender).with_typed("sender", None)


def _known(draft: Draft) -> Endpoint:
    assert draft.endpoint is not None, "the server's name was asked for first"
    return draft.endpoint


# --- trying it ---


def _settings(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """Go on, or test what was entered, as often as wanted."""
    finding: Finding | None = None
    try:
        while True:
            action = talk.choose(f"Server: {endpoint_words(_known(draft))}.", _actions(finding))
            if action == "go-on":
                return draft
            if action == "ports":
                draft, finding = _usual_ports(talk, kit, draft), None
                kit.keep(draft)
                continue
            if action == "fix" and finding is not None and finding.fix is not None:
                draft = draft.with_endpoint(finding.fix)
                kit.keep(draft)
            finding = _tested(talk, kit, draft)
    except GoBack:
        raise GoBack(draft) from None


def _actions(finding: Finding | None) -> list[Choice]:
    fix = finding.fix if finding else None
    return [
        *([Choice("fix", f"Try {endpoint_words(fix)}", word="fix")] if fix else []),
        Choice("go-on", "Go on", word="on"),
        Choice("test", "Test server settings, without a password", word="test"),
        Choice("ports", "Try the usual ports", word="ports"),
    ]


def _tested(talk: Talk, kit: Kit, draft: Draft) -> Finding | None:
    """Test server and port; return what is wrong with them."""
    checked = Checked(talk, partial(kit.desk.check_draft, draft, Depth.SERVER))
    if checked.good:
        talk.say(SERVER_GOOD)
    return next(iter(checked.report.findings), None) if checked.report else None


def _usual_ports(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """Try the usual ports, all at once, each in its usual way; take the best that answers."""
    host = _known(draft).host
    talk.say(f"Trying the usual ports of {host} ...")

    async def all_of_them() -> list[Report]:
        tried = (draft.with_endpoint(Endpoint(host, port, security)) for port, security in USUAL_PORTS)
        return await asyncio.gather(*(kit.desk.check_draft(each, Depth.SERVER, _ignore) for each in tried))

    try:
        reports = awaited(all_of_them())
    except InputError as problem:
        talk.say(str(problem))
        return draft
    talk.show(f"  {report.endpoint.port}: {port_words(report)}" for report in reports)
    serving = [report.endpoint for report in reports if report.verdict in (Verdict.PASS, Verdict.WARN)]
    if not serving:
        talk.say(NO_USUAL_PORT)
        return draft
    talk.say(best_port_words(serving[0]))
    return draft.with_endpoint(serving[0])


def _ignore(event: Event) -> None:
    """Only the report is of interest."""


def _needs_a_yes(draft: Draft) -> bool:
    return draft.security is Security.NONE and draft.auth is Auth.PASSWORD and not draft.allow_cleartext


def _cleartext(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """A password over an unencrypted line needs a yes, given for this server."""
    while _needs_a_yes(draft):
        if talk.yes(cleartext_question(draft.endpoint), yes=CLEARTEXT_YES, no=CLEARTEXT_NO):
            return replace(draft, allow_cleartext=True)
        draft = _port(talk, kit, _security(talk, kit, draft))
    return draft
