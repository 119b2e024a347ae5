"""Check the migrations on a scratch database: up, no drift from the models, all the way down, up again."""

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from flask_migrate import check, downgrade, upgrade

from koz.core.db import db
from koz.core.settings import Settings
from koz.demo.postgres import forget, start
from koz.factory import create_app


def main() -> int:
    """0 when all went through; Alembic's own message and 1 when the models have drifted."""
    for path in sorted([*Path("koz").glob("*/models.py"), *Path("koz").glob("*/models/*.py")]):
        import_module(".".join(path.with_suffix("").parts))
    home = Path(tempfile.mkdtemp(prefix="koz-migrations-"))
    server = start(home, durable=False)
    try:
        url = server.create_database("koz_migrations")
        app = create_app(Settings.from_env({"KOZ_ENV": "test", "KOZ_DATABASE_URL": url}))
        with app.app_context():
            upgrade()
            check()
            downgrade(revision="base")
            upgrade()
            db.engine.dispose()
    finally:
        server.stop()
        forget(home)
    sys.stdout.write("migrations: up, no drift, down, up\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
