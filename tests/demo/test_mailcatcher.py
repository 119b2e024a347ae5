"""The demo's mail catcher: keeps what comes, newest first, bounded; shows it without running it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.message import EmailMessage
from pathlib import Path

import pytest

from koz.demo import mailcatcher
from koz.demo.mailcatcher import Box, make_page
from koz.notifications.mailer import Letter
from koz.notifications.smtp_mailer import SmtpMailer
from tests.pageclient import read

ROOT = Path(__file__).parents[2]
HTML = "<!doctype html><html><head><title>x</title></head><body><a href='https://koz.test/x'>go</a><script>1</script></body></html>"


def raw(n=1, to="awa@koz.test", text="Suivez http://127.0.0.1:8000/verify/a_b-c.d, merci.\n<b>", html=HTML):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Koz <k@koz.test>", to, f"Sujet é {n} <script>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path / "mail")


@pytest.fixture
def page(box):
    return make_page(box).test_client()


def test_an_empty_box_says_what_to_do_in_both_languages(page):
    assert "Aucun message" in read(page.get("/")).text
    assert "No message yet" in read(page.get("/", headers={"Accept-Language": "en"})).text
    assert read(page.get("/messages/nothing")).response.status_code == 404
    assert page.get("/style.css").status_code == 200


def test_newest_first_and_only_the_latest_stay(box, page, monkeypatch):
    monkeypatch.setattr(mailcatcher, "KEEP", 5)
    for n in range(8):
        box.put(raw(n))
    shown = read(page.get("/")).text
    assert [shown.index(f"Sujet é {n}") for n in (7, 6, 5, 4, 3)] == sorted(
        shown.index(f"Sujet é {n}") for n in range(3, 8)
    )
    assert "Sujet é 2" not in shown
    assert len(list(box.folder.iterdir())) == 5


def test_a_message_is_shown_and_never_run(box, page):
    name = box.put(raw())
    shown = read(page.get(f"/messages/{name}"))
    assert shown.one("iframe").get("sandbox") == mailcatcher._SANDBOX
    assert "allow-scripts" not in shown.body
    assert "allow-same-origin" not in shown.body
    assert "http://127.0.0.1:8000/verify/a_b-c.d" in shown.links()
    assert not shown.all("b"), "text is text"
    inner = page.get(f"/messages/{name}/html")
    policy = inner.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert '<base target="_top">' in inner.text
    assert page.get("/messages/..%2f..%2fetc%2fpasswd").status_code == 404


def test_scripts_find_the_mail_of_one_recipient(box, page):
    box.put(raw(1, "awa@koz.test"))
    box.put(raw(2, "jean@koz.test"))
    (found,) = page.get("/messages.json?to=AWA@koz.test").json
    assert found["to"] == "awa@koz.test"
    assert found["links"] == ["http://127.0.0.1:8000/verify/a_b-c.d"]
    assert len(page.get("/messages.json").json) == 2
    assert "Sujet é 2" not in read(page.get("/?to=awa@koz.test")).text


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.enable_socket
def test_the_command_takes_a_mail_over_smtp_and_stops_when_told(tmp_path):
    smtp, web = free_port(), free_port()
    environment = os.environ | {"KOZ_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "koz.cli", "mailcatcher", f"--smtp-port={smtp}", f"--port={web}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert str(web) in process.stdout.readline()
        SmtpMailer(f"smtp://127.0.0.1:{smtp}", "Koz <k@koz.test>").send(
            Letter("awa@koz.test", "Bonjour", "texte\n", "<p>texte</p>", "<x@koz.test>")
        )
        deadline = time.monotonic() + 20
        body = b""
        while b"Bonjour" not in body and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{web}/messages.json", timeout=5) as answer:
                    body = answer.read()
            except urllib.error.URLError:
                continue
        assert b"Bonjour" in body
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
