"""A sandbox for most tests of a process (each uses accounts of its own), and one of its own for a test that needs it."""

from collections.abc import Callable, Iterator

import pytest
import stripe

from tests.sandbox_server import Receiver, SandboxServer, start_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    """The shared one: do not set chaos, faults or the clock here."""
    server = start_sandbox()
    yield server
    server.stop()


@pytest.fixture
def stripe_client(sandbox: SandboxServer) -> stripe.StripeClient:
    """The real SDK against the shared sandbox, without retries."""
    return sandbox.client()


@pytest.fixture
def own_sandbox() -> Iterator[Callable[..., SandboxServer]]:
    """`own_sandbox(*options)` starts one for this test alone."""
    started = []

    def start(*options: str) -> SandboxServer:
        started.append(start_sandbox(*options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Webhook endpoints that keep what they get."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def account(sandbox: SandboxServer) -> str:
    """An organisation that can take cards."""
    return sandbox.ready_account()
