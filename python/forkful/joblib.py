"""forkful as a back end of joblib: `Parallel(backend='forkful')`, and `with parallel_backend('forkful')`.

joblib's own back end for multiprocessing, with another pool in it. What joblib has around its tasks (batches;
SafeFunction in 1.2, without which a KeyboardInterrupt in a task would end the caller's run) stays joblib's.
"""
import joblib
from joblib._parallel_backends import FallbackToBackend, MultiprocessingBackend, SequentialBackend

from . import _core
from .pool import Pool


class ForkfulBackend(MultiprocessingBackend):
    """Workers are forkful's: one that dies costs its batch, which raises WorkerCrashed.

    `inner_max_num_threads`: threads of BLAS and OpenMP in each worker; None: what there are CPUs for. No
    array goes to a file: joblib's options for that (`max_nbytes`, `mmap_mode`, `temp_folder`) are ignored.
    """
    supports_inner_max_num_threads = True

    def effective_n_jobs(self, n_jobs):
        """Nested loops are allowed inside forkful's workers; below 0 counts the CPUs that are a worker's share."""
        if n_jobs == 0 or not _core.in_worker():
            return super().effective_n_jobs(n_jobs)
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(1, _core.cpu_count() + 1 + n_jobs)

    def configure(self, n_jobs=1, parallel=None, prefer=None, require=None, **_memory_mapping):
        """How many workers joblib gets."""
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        threads = self.inner_max_num_threads or max(1, _core.cpu_count() // n_jobs)
        self._pool = Pool(n_jobs, inner_threads=threads)
        self.parallel = parallel
        return n_jobs


def register_joblib():
    """Makes the name 'forkful' known to joblib, which it imports. Calling it again does no harm."""
    joblib.register_parallel_backend('forkful', ForkfulBackend)
