"""APScheduler's jobs, each run in a thread of its own.

A pool of any size can be filled by polls that hang. `max_instances=1` bounds the threads here: there are
never more than jobs. They are daemons, so that one that hangs does not outlive SIGTERM either, as the
threads of a pool do.
"""

from __future__ import annotations

import sys
import threading
from datetime import datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


class ThreadEach(BaseExecutor):  # type: ignore[misc] # APScheduler 3 has no types
    """An APScheduler executor (https://apscheduler.readthedocs.io/en/3.x/extending.html)."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        threading.Thread(
            target=self._run, args=(job, run_times), name=f"job-{job.id}", daemon=True
        ).start()

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001
        except BaseException:  # noqa: BLE001 - as APScheduler's own executors do
            self._run_job_error(job.id, *sys.exc_info()[1:])
        else:
            self._run_job_success(job.id, events)
