"""The web server's command: gunicorn with threads, several processes, the application loaded before they part."""

import sys


def command(port: int, *, workers: int = 2, threads: int = 4) -> list[str]:
    """What runs the web server on loopback; a proxy with TLS stands before it. Processes renew themselves."""
    return [
        sys.executable, "-m", "gunicorn", "--worker-class=gthread", f"--workers={workers}", f"--threads={threads}",
        "--preload", f"--bind=127.0.0.1:{port}", "--max-requests=20000", "--max-requests-jitter=2000",
        "--no-control-socket", "app:app",
    ]  # fmt: skip
