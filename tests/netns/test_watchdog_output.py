"""Whoever reads the director's output may go away: that must not be felt by anybody."""
import os
import pathlib
import signal
import subprocess
import tempfile

import pytest

from tests.netns.watchdog_support import Director, is_alive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")


def test_a_reader_of_the_log_that_goes_away_does_not_end_the_director():
    with tempfile.TemporaryDirectory(prefix="hf-output-") as name:
        director = Director(pathlib.Path(name))
        director.process = subprocess.Popen(director.command("-n", "-l"), env=director.env,
                                            stderr=subprocess.PIPE)
        try:
            director.wait_for(lambda: director.status()["generation"] == 1, "start")
            director.process.stderr.close()
            for generation in (2, 3):  # each reload writes several lines
                director.signal(signal.SIGHUP)
                director.wait_for(lambda: director.status()["generation"] == generation,
                                  f"reload {generation}")
            assert all(is_alive(pid) for pid in [director.process.pid, *director.pids()])
        finally:
            director.end()
        assert director.process.returncode == 0
