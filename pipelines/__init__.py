"""Junheng: departments' files in, checked and traceable releases of public-service statistics out."""

import atexit
import gc
import os

# No linear algebra is done here; without this, importing numpy starts a thread for each core that only waits.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Python looks for unreachable objects twice while it ends; once is enough.
atexit.register(gc.disable)
