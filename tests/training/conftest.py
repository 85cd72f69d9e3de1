"""One thread, and no request to stop left over from another test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from compress.progress import clear_interrupt


@pytest.fixture(autouse=True)
def one_thread_and_no_interrupt() -> Iterator[None]:
    # One thread also makes os.fork safe after torch was used: it then has no workers that a child would miss.
    torch.set_num_threads(1)
    clear_interrupt()
    yield
    clear_interrupt()
