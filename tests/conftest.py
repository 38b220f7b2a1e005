"""One thread a process: there is a process for each core already, and threads that wait for one another's core burn it.

A conftest.py comes before any test module, and so before NumPy; programs that tests start inherit it.
"""

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
