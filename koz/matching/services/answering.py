"""How soon people answer, in words; the same words on every page. Measured by `queries.answer_times`."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from koz.core.i18n import _, ngettext
from koz.matching.queries import answer_times
from koz.matching.queries.answer_times import FEW, AnswerTimes
from koz.skills.queries import MissionCard
from koz.skills.services.beside import mission_fact


def answer_words(times: AnswerTimes) -> str:
    """One sentence: share answered and usual time, or that there are too few to say."""
    if not times.told:
        return _("Too few to say: fewer than %(n)s so far.", n=FEW)
    share = ngettext(
        "%(num)s of the last %(asked)s answered", "%(num)s of the last %(asked)s answered", times.answered,
        asked=times.asked,
    )  # fmt: skip
    if times.median is None:
        return f"{share}."
    return _("%(share)s, half of them within %(time)s.", share=share, time=_roughly(times.median))


def _roughly(span: timedelta) -> str:
    """A time as people tell it: the next whole hour up to two days, then the next whole day."""
    hours = max(1, -(-span // timedelta(hours=1)))
    if span <= timedelta(days=2):
        return ngettext("%(num)s hour", "%(num)s hours", hours)
    return ngettext("%(num)s day", "%(num)s days", -(-span // timedelta(days=1)))


@mission_fact
def how_soon_they_answer(session: Session, card: MissionCard) -> Sequence[tuple[str, str]]:
    """Beside a mission: how soon its organisation answers those who offer themselves."""
    organisation_id = card.campaign.organisation_id
    times = answer_times.of_organisations(session, [organisation_id])[organisation_id]
    return [(_("Their answers to offers"), answer_words(times))]
