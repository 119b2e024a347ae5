"""Errors in Stripe's shapes (docs.stripe.com/api/errors).

`kept` tells whether the answer belongs to an executed request: such an answer is stored under the idempotency key and
replayed. Refused parameters and conflicts are not (docs.stripe.com/api/idempotent_requests).
"""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer other than success."""

    def __init__(  # noqa: PLR0913 - the parts of an error
        self,
        status: int,
        message: str,
        *,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.kept = status, kept
        error: Json = {"type": type_, "message": message}
        if code:
            error["code"] = code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"
        if param:
            error["param"] = param
        self.error: Json = error | (more or {})

    def body(self) -> Json:
        """The JSON document."""
        return {"error": self.error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter that cannot be accepted."""
    return ApiError(400, message, param=param, code=code)


def refused(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that was executed and found impossible in the present state; the answer is kept under the key."""
    return ApiError(400, message, param=param, code=code, kept=True)


def missing(object_name: str, id_: str, param: str = "id") -> ApiError:
    """No such object in this account: also the answer to a forgotten Stripe-Account header."""
    return ApiError(404, f"No such {object_name}: '{id_}'", code="resource_missing", param=param)


def not_here(what: str, param: str | None = None) -> ApiError:
    """What Stripe can do and the sandbox cannot. 400 and not 5xx: the SDK would try a 5xx again."""
    return ApiError(400, f"{what} is not in the Koz sandbox.", code="not_in_the_koz_sandbox", param=param)
