"""The demo as its user runs it: ready, answers, stops, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

import psutil
import pytest

from koz.demo.postgres import forget, free_port


@pytest.mark.enable_socket
def test_the_demo_starts_answers_and_leaves_no_process(tmp_path):
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KOZ_")}
    environment |= {"KOZ_HOME": str(tmp_path / "home"), "PORT": str(port)}
    command = [sys.executable, "-m", "koz.cli", "demo"]
    demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Koz is ready"):
                break
        assert lines, demo.stderr.read()
        assert lines[-1].strip() == f"Koz is ready: http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert json.load(answer)["status"] == "ready"
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) >= 4
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)
    assert [c for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE] == []
    assert demo.returncode == 0
    forget(tmp_path / "home")
