"""The code word of a test message: a person who types it has seen the message."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

_WORDS = """
actor album angel ankle apple april arrow attic award bacon badge baker basin beach beard berry birch black blade
bloom boots brain brand brave bread brick bride brush cabin cable camel candy canoe cargo cedar chain chalk cheek
chess chief child clock cloud clown coach coast cobra comet coral cover crane cream curve daisy dance depot diary
diner ditch draft dress drill eagle early earth elbow empty entry equal extra fairy field flame flask fleet flute
focus fresh frost fruit funny giant glass globe grape green guest guide happy heart hedge hobby honey horse hotel
igloo index ivory jelly jewel joker juice jumbo kayak koala label lemon level light lucky lunch magic mango maple
march medal melon model month motor mouse movie music noble north novel ocean olive onion opera orbit otter paint
panda paper party pasta pearl penny phone photo piano pilot pizza plane polar poppy porch pound prize proud purse
queen quick quilt radar radio ranch raven razor relay rider robin robot rodeo rough rugby salad sauce scarf scout
seven shark sheep shelf shirt shoes skate slope small smile smoke snack solid sonic south spice spoon sport squad
stamp steam stone storm sugar swing teddy thumb tiger today topaz total tower track trail treat trunk tulip uncle
under urban video villa visit vivid voice wagon water whale wheat wheel white windy world yacht young zebra
"""
CODE_WORDS = tuple(_WORDS.split())
"""English words of five letters that are spelt as they are heard; any two differ in two letters or more."""


def new_word(besides: Collection[str] = ()) -> str:
    """Return a random code word, none of `besides`: those of messages that the same person was sent before."""
    fresh = [word for word in CODE_WORDS if word not in besides]
    return secrets.choice(fresh or CODE_WORDS)


def is_word(typed: str, word: str) -> bool:
    """Whether a person typed that code word, perhaps with what stands around it in the message."""
    return word in re.findall(r"[a-z]+", typed.casefold())
