"""What the step Connect tells and offers, wherever it stands: its one card, and what may be done now."""

from __future__ import annotations

from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer
from smtp_wizard.flows.check_view import finding_card, running_card
from smtp_wizard.flows.connect_state import ConnectFacts, ConnectOffer, ConnectPhase
from smtp_wizard.flows.flow import Card, Mood, Offer
from smtp_wizard.flows.server_questions import answer_card, doubt_card
from smtp_wizard.output.plain_lines import endpoint_words
from smtp_wizard.text import connect as words
from smtp_wizard.text.discovery import CONFIRM_NO, CONFIRM_YES
from smtp_wizard.text.network import NEUTRAL_NO, NEUTRAL_YES
from smtp_wizard.text.stores import VAULT_OPEN
from smtp_wizard.text.wizard import ANYWAY, ANYWAY_NO, ANYWAY_QUESTION, ANYWAY_YES

ConnectChoice = Offer[ConnectOffer]

# --- the card ---


def connect_card(now: ConnectFacts, doubt: UnconfirmedServer | None) -> Card | None:
    """Return what is told of the sign-in; None where nothing was tried. `doubt`: what is to be confirmed."""
    match now.at:
        case ConnectPhase.TYPING:
            told = Card(mood=Mood.WARNED, title=words.REFUSED_TITLE, lines=(words.REFUSED_BEFORE,))
            return told if now.refused else None
        case ConnectPhase.RUNNING:
            return running_card(now.check, words.signing_in(now.draft.connection.auth), now.name, now.limit)
        case ConnectPhase.FAILED:
            finding = now.check.finding
            return finding_card(now.check, finding, now.tries) if finding is not None else None
        case ConnectPhase.PASSED:
            return _passed(now)
        case ConnectPhase.STOPPED:
            why = words.STOPPED_AFTER if now.sent else words.STOPPED_BEFORE
            return Card(mood=Mood.TOLD, title=words.STOPPED, lines=(why,), foot=now.check.tally)
        case ConnectPhase.PROBLEM:
            return Card(mood=Mood.FAILED, title=words.NOT_BEGUN, lines=(now.problem,))
        case ConnectPhase.CONFIRM:
            return doubt_card(doubt) if doubt is not None else None
        case ConnectPhase.LOCKED:
            return Card(mood=Mood.TOLD, title=words.VAULT_TITLE, lines=(VAULT_OPEN,))
        case ConnectPhase.ANYWAY:
            return Card(mood=Mood.WARNED, title=f"{ANYWAY}?", lines=(ANYWAY_QUESTION,))
        case ConnectPhase.NETWORK:
            return now.network.asking()
        case ConnectPhase.ASKING:
            return now.network.running()
        case ConnectPhase.ANSWERED:
            return answer_card(now.answers)


def _passed(now: ConnectFacts) -> Card:
    warning, count = now.check.finding, len(now.check.results)
    told = (f"{warning.title}. {warning.explanation}",) if warning is not None else ()
    return Card(
        mood=Mood.PASSED if warning is None else Mood.WARNED,
        title=words.passed_title(now.draft.connection.auth),
        lines=(words.passed_words(now.draft, now.name), *told, words.NEXT_WORDS),
        foot=f"{now.check.marks}  {count} of {count} checks, {now.took:.1f} s" if count else "",
    )


# --- what is offered ---


def connect_offers(now: ConnectFacts) -> tuple[ConnectChoice, ...]:
    """Return what may be done now: first what Enter does, last what Esc does. A careful answer is the first."""
    match now.at:
        case ConnectPhase.RUNNING | ConnectPhase.ASKING:
            return (Offer(ConnectOffer.STOP, "Stop", key="Esc"),)
        case ConnectPhase.CONFIRM:
            return _no(CONFIRM_NO), Offer(ConnectOffer.CONFIRM, CONFIRM_YES, chip="Use it")
        case ConnectPhase.ANYWAY:
            return _no(ANYWAY_NO), Offer(ConnectOffer.ANYWAY_NOW, ANYWAY_YES, chip="Try anyway")
        case ConnectPhase.NETWORK:
            return _no(NEUTRAL_NO), Offer(ConnectOffer.ASK_NEUTRAL, NEUTRAL_YES, chip="Contact it")
        case ConnectPhase.LOCKED:
            return Offer(ConnectOffer.UNLOCK, words.UNLOCK_AND_TRY), _no("Not now")
        case ConnectPhase.ANSWERED:
            return (_no("Back"),)
        case ConnectPhase.PASSED:
            return Offer(ConnectOffer.NEXT, "Send a test"), _again("Check it again"), *_ways_out()
        case ConnectPhase.PROBLEM:
            return _again(words.UNLOCK_AND_TRY if now.unlockable else "Try again"), *_ways_out()
        case ConnectPhase.FAILED:
            return *_cures(now), *_ways_out()
        case ConnectPhase.TYPING | ConnectPhase.STOPPED:
            return *_sign_ins(now, "Check the server" if now.nameless else "Sign in"), *_ways_out()


def _ways_out() -> tuple[ConnectChoice, ...]:
    return Offer(ConnectOffer.CHANGE, "Change settings", key="F9"), Offer(ConnectOffer.BACK, "Back", key="Esc")


def _again(verb: str) -> ConnectChoice:
    return Offer(ConnectOffer.SIGN_IN, verb)


def _no(verb: str) -> ConnectChoice:
    """Return the careful answer to a question, which Esc gives as well."""
    return Offer(ConnectOffer.LEAVE, verb, key="Esc", chip="Back")


def _cures(now: ConnectFacts) -> list[ConnectChoice]:
    """Return what may be done about a failure: its cure first. Enter never sends what was refused already."""
    finding = now.check.finding
    fix = finding.fix if finding is not None else None
    cures: list[ConnectChoice] = []
    if fix is not None:
        verb = words.fix_verb(now.draft.connection.endpoint, fix)
        cures.append(Offer(ConnectOffer.FIX, verb, endpoint_words(fix)))
    cures += _sign_ins(now, "Check it again" if now.nameless else words.SIGN_IN_AGAIN)
    if now.held_back:
        cures.append(Offer(ConnectOffer.ANYWAY, ANYWAY, words.ANYWAY_NOTE))
    if now.network.unreached is not None:
        cures.append(Offer(ConnectOffer.NETWORK, now.network.title, words.NEUTRAL_NOTE, chip="Find out"))
    return cures


def _sign_ins(now: ConnectFacts, verb: str) -> list[ConnectChoice]:
    """Return the ways to sign in. Enter sends nothing that was refused: that is a choice of its own."""
    if not now.refused:
        return [_again(verb)]
    same = Offer(ConnectOffer.SAME, words.SAME_AGAIN, words.SAME_AGAIN_NOTE, chip="Send again")
    return [_again(verb) if now.needs_secret else _another_token(now), same]


def _another_token(now: ConnectFacts) -> ConnectChoice:
    """Return what leads to another access token: the browser, or the settings where a program gives it."""
    if now.draft.token_elsewhere:
        return Offer(ConnectOffer.CHANGE, "Change settings")
    return Offer(ConnectOffer.BACK, "Sign in in the browser again")
