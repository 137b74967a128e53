"""Runs test_ipvs_kernel where there is an ip_vs: on this kernel as root, else in the lab's machine.

    python3 tests/vm/ipvs/run.py build/bin/test_ipvs_kernel [doctest options]

Exit code 77 (ctest: skipped) with the reason when neither is possible.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.lab import vm  # noqa: E402

SKIPPED = 77


def main() -> int:
    command = [str(Path(sys.argv[1]).resolve()), *sys.argv[2:]]
    if os.geteuid() == 0 and vm.host_has_ipvs():
        return subprocess.run(command, check=False).returncode
    reason = vm.why_unavailable()
    if reason:
        print(f"skipped: this kernel has no ip_vs (or we are not root), and {reason}")
        return SKIPPED
    results = ROOT / "build" / "vm-results" / "ipvs"
    results.mkdir(parents=True, exist_ok=True)
    return vm.run(command, results=results, timeout=500)


if __name__ == "__main__":
    sys.exit(main())
