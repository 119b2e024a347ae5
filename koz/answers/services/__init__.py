"""What can be done with answers, one module a use case."""

from koz.answers.services.answer import (
    CommitmentDraft,
    Draft,
    PointDraft,
    Problem,
    add_note,
    find_problems,
    publish,
    save_draft,
)
from koz.answers.services.broadcasts import broadcast, send_batch
from koz.answers.services.commitments import move_commitment, propose_proof, tell_late
from koz.answers.services.requests import (
    ClosedConsultation,
    PointTaken,
    accept,
    desk_token,
    expect_due,
    fix_due,
    open_desk,
    remind,
    request_answer,
    resend_link,
    tell_overdue,
    withdraw,
)

__all__ = [
    "ClosedConsultation",
    "CommitmentDraft",
    "Draft",
    "PointDraft",
    "PointTaken",
    "Problem",
    "accept",
    "add_note",
    "broadcast",
    "desk_token",
    "expect_due",
    "find_problems",
    "fix_due",
    "move_commitment",
    "open_desk",
    "propose_proof",
    "publish",
    "remind",
    "request_answer",
    "resend_link",
    "save_draft",
    "send_batch",
    "tell_late",
    "tell_overdue",
    "withdraw",
]
