"""What gunicorn serves in a benchmark: floors, and Koz with and without its brief cache.

Floors: `hello` is Flask and nothing else; `one_row` reads one row by SQLAlchemy and fills a small template; `post_row`
inserts the body of a POST and commits. They share Koz's driver, pool and server settings.
"""

import os

from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session


def _hello() -> Flask:
    app = Flask("hello")
    app.add_url_rule("/", view_func=lambda: "<!doctype html><title>hello</title><h1>hello</h1>")
    return app


def _rows() -> Flask:
    app = Flask("rows")
    engine = create_engine(os.environ["KOZ_DATABASE_URL"], pool_size=8, max_overflow=8, pool_pre_ping=True)
    page = app.jinja_env.from_string(
        "<!doctype html><title>{{ row.title }}</title><h1>{{ row.title }}</h1><p>{{ row.ask }}"
    )

    def one_row() -> str:
        with Session(engine) as session:
            row = session.execute(
                text("SELECT title, ask FROM campaigns WHERE slug = :s"),
                {"s": os.environ.get("BENCH_SLUG", "bench-10")},
            ).one()
        return page.render(row=row)

    def post_row() -> str:
        with Session(engine) as session:
            session.execute(text("INSERT INTO bench_bodies (body) VALUES (:b)"), {"b": request.get_data(as_text=True)})
            session.commit()
        return '{"received":true}'

    app.add_url_rule("/", view_func=one_row)
    app.add_url_rule("/post", view_func=post_row, methods=["POST"])
    return app


def _koz(**config: float) -> Flask:
    from koz.factory import create_app  # noqa: PLC0415 - the floors must not load Koz

    return create_app(**config)


_MAKERS = {"hello": _hello, "rows": _rows, "cold": lambda: _koz(BRIEF_CACHE_S=0), "warm": _koz}
app = _MAKERS[os.environ["BENCH_APP"]]()
