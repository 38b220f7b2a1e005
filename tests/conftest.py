"""What all tests share.

One thread a process: there is a process for each core already, and threads that wait for one another's core burn it.
A conftest.py comes before any test module, and so before NumPy; programs that tests start inherit the environment.
"""

import os

import pytest

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than all the rest of a small study, and are made of the same result."""
    from blinasim.report import contents

    page = contents.write_page
    for folder in ("folder", "comparison_folder"):
        monkeypatch.setattr(f"blinasim.report.{folder}._figures", lambda *_: {})
    # Those of the analyses are drawn, and not saved.
    monkeypatch.setattr(contents, "_save_figures", lambda _, folder: folder.mkdir())
    monkeypatch.setattr(contents, "write_page", lambda what, _, folder: page(what, {}, folder))
