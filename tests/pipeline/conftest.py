"""The small workspace of tests/jobs."""

from tests.jobs.conftest import _one_thread as _one_thread
from tests.jobs.conftest import workspace as workspace
