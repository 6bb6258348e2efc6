"""Before anything is imported, and inherited by workers and by the servers that tests start."""

import os
import sys

# A worker for each core: threads of its own for a matrix would only wait (a training: 128 s of processor time, or 73).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Compiled files are kept, or each worker and each server would compile the whole house anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
