"""Facts that one feature tells and others react to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Base of events: past tense, frozen, fields of ids, ints and strings only (they are stored as JSON).

    Never a model, a request or personal data.
    """
