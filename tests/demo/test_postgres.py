"""The embedded database, as others than its starter find it."""

from pathlib import Path

import pytest

from koz.demo.postgres import PostgresError, Server, running_url


def test_the_address_of_a_running_server_is_found_by_its_home(postgres: Server) -> None:
    home = postgres.data.parents[1]
    assert running_url(home, "koz") == postgres.database_url("koz")


def test_a_home_where_nothing_runs_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="No database runs"):
        running_url(tmp_path, "koz")
