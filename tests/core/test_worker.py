"""The worker serves the queue, however it was started."""

from contextvars import Context

from koz import worker
from koz.core import jobs


def test_jobs_of_the_queue_find_the_app_also_when_nobody_gave_its_context(app, monkeypatch):
    ran = []

    class Worker:
        """A queue with one job, which ends the worker."""

        stop_asked = True

        def __init__(self, *_queues, **_options):
            pass

        def work(self, **_options):
            jobs.run_job("probe")

    monkeypatch.setitem(jobs._jobs, "probe", lambda: ran.append("probe"))
    monkeypatch.setattr(worker, "Worker", Worker)
    monkeypatch.setattr(worker, "PERIODIC", ())
    monkeypatch.setitem(app.extensions, "koz_redis", object())
    Context().run(worker.run, app)
    assert ran == ["probe"]
