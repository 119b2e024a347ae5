"""Each test starts with its limits of attempts unused: all of them share one app."""

import pytest


@pytest.fixture(autouse=True)
def unused_limits(request):
    if "app" in request.fixturenames:
        request.getfixturevalue("app").extensions["koz_limits"].storage.reset()
