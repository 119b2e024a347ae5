"""What can be done with consultations, one module a use case."""

from koz.consultations.services.import_cap import Report, import_cap
from koz.consultations.services.opening import (
    Draft,
    SectionDraft,
    close,
    close_due,
    open_for_campaign,
    prepare,
    save_draft,
)
from koz.consultations.services.privacy import forget_person
from koz.consultations.services.voting import vote_on_amendment, vote_on_contribution, vote_useful
from koz.consultations.services.writing import (
    NewAmendment,
    NewArgument,
    NewContribution,
    NewSource,
    Speaker,
    add_source,
    amend,
    argue,
    contribute,
)

__all__ = [
    "Draft",
    "NewAmendment",
    "NewArgument",
    "NewContribution",
    "NewSource",
    "Report",
    "SectionDraft",
    "Speaker",
    "add_source",
    "amend",
    "argue",
    "close",
    "close_due",
    "contribute",
    "forget_person",
    "import_cap",
    "open_for_campaign",
    "prepare",
    "save_draft",
    "vote_on_amendment",
    "vote_on_contribution",
    "vote_useful",
]
