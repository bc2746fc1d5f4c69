"""How long `import skprune` takes, beside `import sklearn.base`, in fresh interpreters, and whether it loads torch.

python examples/benchmarks/import_time.py
"""

import statistics
import subprocess
import sys

CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
FROM = "import sys, skprune; from skprune import SemiPrune; SemiPrune(); print('torch' in sys.modules)"
REPEATS = 11


def run(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main():
    for module in ("sklearn.base", "skprune", "sklearn.base, skprune._semi_prune"):
        times = [float(run(CODE.format(module))) for _ in range(REPEATS)]
        print(
            f"import {module:36} median {statistics.median(times):.3f} s, std {statistics.stdev(times):.3f}, n = {REPEATS}"
        )
    print(f"torch is loaded after `from skprune import SemiPrune; SemiPrune()`: {run(FROM)}")


if __name__ == "__main__":
    main()
