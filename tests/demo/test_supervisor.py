"""The demo as its user runs it: ready, answers, stops, leaves nothing behind, and harms nothing that is not its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from koz.demo.postgres import forget, free_port
from koz.demo.supervisor import DemoError, Ports, run


@contextmanager
def demo(environment) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """A demo that has said it is ready, and what it said; ended by SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "koz.demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Koz is ready"):
                break
        yield process, lines
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.mark.timeout(600)
def test_the_demo_starts_answers_keeps_its_data_and_leaves_no_process(tmp_path):
    home, port = tmp_path / "home", free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KOZ_")}
    environment |= {
        "KOZ_HOME": str(home), "PORT": str(port), "SANDBOX_PORT": str(free_port()), "MAIL_PORT": str(free_port()),
    }  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    with demo(environment) as (process, lines):
        assert lines[-1] == f"Koz is ready: {base}"
        with urllib.request.urlopen(f"{base}/readyz") as answer:
            assert json.load(answer)["status"] == "ready"
        with urllib.request.urlopen(f"{base}/api/v1/campaigns") as answer:
            first = json.load(answer)
        assert len(first["items"]) >= 4
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 6
        second = subprocess.run(
            [sys.executable, "-m", "koz.demo"],
            env=environment | {"PORT": str(free_port())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "is in use" in second.stderr
    assert process.returncode == 0
    assert [c for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE] == []
    with demo(environment) as (process, lines):
        assert not [line for line in lines if "Loading" in line]
        with urllib.request.urlopen(f"{base}/api/v1/campaigns") as answer:
            assert json.load(answer) == first
    forget(home)


def ports() -> Ports:
    return Ports(web=free_port(), sandbox=free_port(), mail=free_port())


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.odt").write_text("years of work")
    with pytest.raises(DemoError, match="holds other things"):
        run(tmp_path, ports(), reset=True)
    assert (tmp_path / "thesis.odt").read_text() == "years of work"


def test_a_port_in_use_is_said_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"make demo MAIL_PORT={number + 10}"):
            run(tmp_path / "home", Ports(web=free_port(), sandbox=free_port(), mail=number))
    assert not (tmp_path / "home").exists()


def test_two_demos_never_share_a_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    holder = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path / "home.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(DemoError, match="already"):
            run(home, ports())
    finally:
        process.communicate()
