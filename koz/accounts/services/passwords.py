"""Passwords: how they are kept, and which are too easy to guess.

Rules of NIST 800-63B and OWASP ASVS 5 V6.2: length counts, composition does not; what is tried first is refused.
The list is ours and small, so the guesses are made by rule: a common word with digits and signs around it, letters
written as digits, runs along the alphabet or the keyboard, and one short pattern repeated.
"""

import re
import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from koz.core.errors import Invalid
from koz.core.i18n import _

# OWASP's smaller Argon2id setting: 19 MiB, 2 passes. At most 4 at once, so that a flood of log-ins cannot eat memory.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing: Final = threading.BoundedSemaphore(4)
_NOBODY: Final = _hasher.hash("a password that nobody has")

PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 200
RUN: Final = 8

#: Words that lists of leaked passwords in French and English begin with, without the digits that follow them.
_WORDS: Final = """
    aaaaaa abcdef abcabc access adidas admin administrateur administrator alexandre alexandra algerie amandine amour
    amoureux ananas andrea anthony antoine apple arsenal asdfgh association azerty azertyui azertyuiop babygirl bailey
    baseball basket batman benjamin bienvenue bisous bonjour bonsoir boubou bretagne cacahuete caramel carotte camille
    cathy celine changeme changezmoi charlie charlotte chelsea chocolat chouchou christophe claire clement coucou
    cookie corona couleur daniel dauphin delphine dieu dolphin donald doudou dragon edouard elephant emilie emmanuel
    fabien felix ferrari fleur flower florian football france francois freedom gabriel garcon gateau gaelle
    guillaume hannah hello helloworld hunter iloveyou informatique internet isabelle jennifer jeremy jessica jesuis
    jetaime jetadore jordan juillet julien juliette justin killer koala koz laurent leonard letmein liberte licorne
    liverpool london loulou louloute lovely lucas madrid maison maman marie marine marseille martin master mathieu
    maxime melanie michael michel mickael minecraft minou mohamed monday monkey montagne motdepass motdepasse mustang
    naruto nathalie natation neige nicolas nintendo olivier olympique ordinateur orange papillon papa paris parissg
    pascal passe passer password passwort passw patate patrick pauline petit philippe pierre platine pokemon portugal
    poupee princess princesse printemps qazwsx qwerty qwertyui qwertyuiop raphael romain samsung sandrine sebastien
    secret shadow soleil sophie starwars stephane summer sunshine superman sunflower tarzan tata test testtest thomas
    tigrou tinkerbell toto totototo trustno trustnoone tunisie valentin vacances vanille veronique vincent virginie
    voiture welcome whatever winter wxcvbn xavier yasmine youtube zidane zinedine
"""
COMMON_WORDS: Final = frozenset(_WORDS.split())
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_ROWS: Final = (
    "0123456789012345", "9876543210987654", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba",
    "azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
)  # fmt: skip
_AROUND: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def hash_password(password: str) -> str:
    """Argon2id hash with its parameters and salt."""
    with _hashing:
        return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the one of the stored hash; for None as much work, and False."""
    try:
        with _hashing:
            return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def check_password_rules(password: str) -> None:
    """Raises Invalid when a password is too short, too long or among those tried first."""
    if len(password) < PASSWORD_MIN:
        raise Invalid(_("Choose a password of at least %(n)s characters.", n=PASSWORD_MIN))
    if len(password) > PASSWORD_MAX:
        raise Invalid(_("Choose a password of at most %(n)s characters.", n=PASSWORD_MAX))
    if _is_common(password.lower()):
        raise Invalid(_("This password is among those tried first. Choose another, such as four words."))


def _is_common(password: str) -> bool:
    bare = _AROUND.sub("", password)
    guesses = {bare, _AROUND.sub("", password.translate(_LEET)), bare.translate(_LEET)}
    if guesses & COMMON_WORDS or len(set(password)) < 4 or not bare:
        return True
    if any(len(bare) % n == 0 and bare == bare[:n] * (len(bare) // n) for n in range(1, len(bare) // 2 + 1)):
        return True
    return any(password[:RUN] in row or password[-RUN:] in row for row in _ROWS) and len(password) < RUN + 8
