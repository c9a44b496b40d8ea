"""By which words a letter is known that says that a message was not delivered, in the languages of mail servers."""

from __future__ import annotations

import re

from smtp_wizard.engine.diagnosis.patterns import Patterns, Pieces, SearchedText

_FIELDS = ("multipart/report", "delivery-status", "final-recipient:", "reporting-mta:", "diagnostic-code:")
_SENDERS = ("mailer-?daemon", "mail delivery (?:sub)?system", "x-failed-recipients", "qmail-send")
_SAYINGS = (
    "this (?:message was created automatically|is the (?:mail (?:system|delivery)|qmail-send|postfix))",
    "(?:undelivered|undeliverable|returned) (?:mail|message)",
    "delivery (?:has failed|status notification|failure|incomplete|to the following)|mail delivery failed",
    "(?:could not|couldn't) be delivered|(?:was not|wasn't|not been) delivered|unable to deliver|not able to deliver",
    "diagnostic information for administrators|generating server|did not reach the following",
    # The same line of Exchange in German, French, Spanish, Italian, Portuguese, Dutch.
    "(?:diagnose|diagnos)\\w{0,6} ?\\w{0,12} (?:f.r|pour|para|per|voor) (?:\\w{1,4} )?"
    "(?:administra|amministra|beheerder)\\w{0,10}"
    "|generierender server|serveur (?:de g.n.ration|g.n.rateur)|servidor (?:de generaci.n|de gera..o|gerador)"
    "|server di generazione|genererende server",
    "following address(?:es)? (?:failed|had)|permanent (?:fatal )?errors?",
    "remote server.?s response was|response from the remote server was|reject(?:ed|ing) your message to the following",
    "failed to deliver to|smtp module\\(domain|giving up on|system-generated message to inform you"
    "|has been returned to you",
    "your (?:e-?mail|message|mail) (?:to .{1,80} )?(?:has )?bounced",
    "(?:address|mailbox) (?:couldn.t|could not) be found|couldn.t be delivered",
    "recipients?(?:\\(s\\))? (?:could not|couldn.t) be reached",
    # Exchange by itself, and Outlook, in English, German, French, Spanish, Italian, Dutch.
    "did not reach (?:some or all of )?(?:the (?:following|intended)|its (?:intended )?recipients?)"
    "|empf.nger nicht erreicht|nicht alle empf.nger erreicht|n.a pas (?:atteint|.t. remis .) .{0,40}destinataires"
    "|no (?:lleg.|ha llegado) a .{0,40}destinatarios|non ha raggiunto .{0,40}destinatari|niet bereikt",
    # German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian, Chinese, Japanese
    "unzustellbar|nicht zugestellt|zustellung .{0,40}(?:fehlgeschlagen|nicht m.glich)|nicht .bermittelt werden",
    "(?:pas pu|n.a pas|n.ont pas) .{0,20}(?:remis|distribu.|d.livr.|achemin.)|non (?:remis|distribu.)"
    "|.chec de (?:la )?remise",
    "no (?:se )?(?:pudo|ha podido|ha sido|fue|puede) .{0,12}entrega|no entregad|non .{0,20}(?:consegn"
    "|recapit)|impossibile recapitare",
    "n.o (?:foi|p.de ser) entregue|n.o entregue|(?:niet|kon niet|kan niet) .{0,20}(?:bezorgd|afgeleverd)|onbestelbaar",
    "nie (?:zosta.a|mo.na|uda.o si.) .{0,20}dostarcz|niedostarczon|не (?:было |был[ао]? )?доставлен",
    "退信|投递失败|(?:未能|无法|無法)(?:送达|送達|投递|投遞|传送|傳送|传递)|配信(?:不能|でき)|配達でき|お届けでき",
)
"""What bounces say to people."""
_SUBJECT = re.compile(
    r"undeliver(?:able|ed)|(?<!un)returned (?:mail|to sender)|failure notice|mail system error"
    r"|(?:mail|message|e-?mail)? ?delivery (?:status notification|fail|has failed|error|incomplete|problem|delay)"
    r"|(?:not|never) (?:be )?delivered|delivery to .{1,80} failed|non-?delivery|un(?:able|successful) (?:to )?deliver"
    r"|unzustellbar|nicht (?:zustellbar|zugestellt)|zustellung .{0,30}(?:fehlgeschlagen|nicht m.glich)"
    r"|non (?:remis|distribu)|.chec de (?:la )?(?:remise|distribution)|no (?:se puede entregar|entregad)"
    r"|mancat[ao] (?:recapito|consegna)|non recapita|onbestelbaar|n.o entregue|niedostarczon",
    re.IGNORECASE,
)
"""What bounces are called."""
_ANSWERS = re.compile(r"\W{0,8}(?:re|aw|fwd?|wg|sv|tr|antw|vs|odp)\s{0,2}:", re.IGNORECASE)
_MAY_BE_ONE = Patterns((*_FIELDS, *_SENDERS, *_SAYINGS))
_SAYS_SO = Patterns((*_SENDERS, *_SAYINGS))
_PIECES = Pieces(_MAY_BE_ONE.pieces)


def may_be_bounce(text: str) -> bool:
    """Whether a text may be a bounce or a part of one."""
    return _MAY_BE_ONE.search(_sought(text)) is not None


def says_so(text: str) -> bool:
    """Whether a text says that it is one."""
    return _SAYS_SO.search(_sought(text)) is not None


def is_subject(subject: str, *, first: bool = False) -> bool:
    """Whether a subject is that of a bounce, and of no answer to one. `first`: only where it begins so."""
    if _ANSWERS.match(subject):
        return False
    return (_SUBJECT.match(subject.lstrip("* [")) if first else _SUBJECT.search(subject)) is not None


def _sought(text: str) -> SearchedText:
    """Return the text on one line: sentences are wrapped anywhere."""
    return SearchedText(" ".join(text.split()), _PIECES)
