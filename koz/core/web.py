"""Around every request: id and log line, security headers, errors as pages or problem documents, language cookie."""

import re
import time
from typing import Any, Final

import structlog
from flask import Flask, Response, abort, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from koz.core.errors import KozError, Unavailable
from koz.core.i18n import LOCALE_COOKIE, LOCALES, _, current_locale
from koz.core.ids import new_token
from koz.core.settings import Settings, current_settings

log = structlog.get_logger(__name__)
csrf = CSRFProtect()

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
#: What a trusted proxy may call a request; anything else is replaced.
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}", re.ASCII)
#: The largest number of a BIGINT column.
ROW_ID_MAX: Final = 2**63 - 1
YEAR_S: Final = 365 * 24 * 3600


class _RowId(IntegerConverter):
    """`<int:…>` in addresses: a number that no row can have leads nowhere, instead of to an error of the database."""

    def __init__(self, rules: Map, *args: Any, **options: Any) -> None:
        super().__init__(rules, *args, **{"max": ROW_ID_MAX} | options)


def init_web(app: Flask, settings: Settings) -> None:
    """Wire everything of this module."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_NAME="__Host-koz" if settings.secure_cookies else "koz",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=True,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR_S,
        JSON_SORT_KEYS=False,
    )
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    app.url_map.converters["int"] = _RowId
    csrf.init_app(app)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(KozError, _koz_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    for error in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(error, _database_down)
    app.register_error_handler(Exception, _bug)


def wants_json() -> bool:
    """Whether the answer goes to a machine."""
    return request.path.startswith(("/api/", "/webhooks/", "/oembed"))


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "") if current_settings().trusted_proxies else ""
    g.request_id = given if REQUEST_ID.fullmatch(given) else new_token(9)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if "\0" in request.path or b"%00" in request.query_string:
        abort(404)  # PostgreSQL has no such text: what cannot be stored cannot be found


def _finish(response: Response) -> Response:
    settings = current_settings()
    headers = response.headers
    if request.endpoint == "static":
        headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        headers.setdefault("Content-Language", current_locale())
        headers.add("Vary", "Accept-Language, Cookie")
        kept = "no-store" if "Set-Cookie" in headers or _is_private() else "private, no-cache"
        headers.setdefault("Cache-Control", kept)
    asked = request.args.get("lang")
    if asked in LOCALES:
        response.set_cookie(
            LOCALE_COOKIE, asked, max_age=YEAR_S, samesite="Lax", httponly=True, secure=settings.secure_cookies
        )
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = content_security_policy(settings)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
    if settings.secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    headers["X-Request-Id"] = g.get("request_id", "")
    _log(response)
    return response


def _is_private() -> bool:
    """Whether the page is for somebody in particular: who is logged in, or who was sent its address."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "__koz_access__", "public") != "public" or "token" in (request.view_args or {})


def content_security_policy(settings: Settings, *, frame_ancestors: str = "'none'") -> str:
    """The policy. Forms may lead to hosted Checkout: with 'self' alone Chromium silently blocks that redirect."""
    origins = " ".join(("'self'", *settings.checkout_origins))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"manifest-src 'self'; form-action {origins}; base-uri 'none'; frame-ancestors {frame_ancestors}"
    )


def _log(response: Response) -> None:
    # The rule, not the path: paths may hold signed tokens.
    rule = request.url_rule.rule if request.url_rule else "-"
    took_ms = round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1)
    log.info("request", method=request.method, route=rule, status=response.status_code, ms=took_ms)


def problem(status: int, sentence: str, retry_after_s: int | None = None) -> ResponseReturnValue:
    """An error as a page, or as an RFC 9457 problem document for machines."""
    if wants_json():
        answer: Any = jsonify({"type": "about:blank", "status": status, "title": sentence})
        answer.headers["Content-Type"] = "application/problem+json"
    else:
        answer = Response(render_template("errors/problem.html", status=status, sentence=sentence))
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(retry_after_s)
    return answer  # type: ignore[no-any-return]


def _koz_error(error: KozError) -> ResponseReturnValue:
    log.info("refused", kind=type(error).__name__)
    retry = error.retry_after_s or (5 if isinstance(error, Unavailable) else None)
    return problem(error.status, error.sentence, retry)


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    return problem(400, _("This page was open for too long. Go back, reload it, and send it again: nothing was done."))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    sentences = {
        404: _("This page does not exist. Check the address, or start again from the home page."),
        405: _("This address cannot be used in this way. Start again from the home page."),
        413: _("This is too large to be sent. Shorten the text or choose a smaller file."),
    }
    code = error.code or 500
    answer = problem(code, sentences.get(code, _("This request could not be understood. Go back and try again.")))
    if code == 405 and isinstance(answer, Response):
        answer.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return answer


def _database_down(error: DBAPIError | PoolTimeout) -> ResponseReturnValue:
    log.error("database.down", kind=type(getattr(error, "orig", None) or error).__name__)
    return problem(
        503, _("Koz cannot answer right now. Nothing was done and nothing was taken: try again in a moment."), 5
    )


def _bug(error: Exception) -> ResponseReturnValue:
    log.error("bug", exc_info=error)
    if current_app.testing:
        raise error
    return problem(500, _("Something went wrong on our side. We have been told. Try again in a few minutes."))
