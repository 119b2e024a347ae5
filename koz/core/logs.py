"""Logs: one JSON object a line, with the request id and no personal data."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict

from koz.core.errors import without_row_values


def _hide_row_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    if "exception" in event:
        event["exception"] = without_row_values(str(event["exception"]))
    return event


def init_logs(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write structured lines to `stream`, standard error by default."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _hide_row_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # standard error as it is when a line is written: whoever captures it may have closed an earlier one
        logger_factory=lambda *_names: structlog.PrintLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
