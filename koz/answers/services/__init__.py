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
from koz.answers.services.commitments import move_commitment, propose_proof, tell_late
from koz.answers.services.quiet import mute, mute_path, read_mute, take_down
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
    "desk_token",
    "expect_due",
    "find_problems",
    "fix_due",
    "move_commitment",
    "mute",
    "mute_path",
    "open_desk",
    "propose_proof",
    "publish",
    "read_mute",
    "remind",
    "request_answer",
    "resend_link",
    "save_draft",
    "take_down",
    "tell_late",
    "tell_overdue",
    "withdraw",
]
