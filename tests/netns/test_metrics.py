"""`holdfastctl metrics` beside a real director: what it tells, who may hang on it, what that costs.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser

from tests.lab.director import BIN
from tests.lab.memory import read_memory
from tests.lab.netns import Lab, Process, eventually

from .test_vrrp_director import Scene, config

PORT = 9650
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SERVICE = ("virtual_server 10.9.0.200 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
           " real_server 10.9.0.2 8080 {\n weight 3\n TCP_CHECK {\n connect_timeout 1\n }\n }\n}\n")


@contextlib.contextmanager
def open_directory() -> Iterator[Path]:
    """That other accounts get as far as; pytest's own is closed by every other run of pytest."""
    with tempfile.TemporaryDirectory(prefix="holdfast-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with open_directory() as directory, Lab(directory) as lab:
        lab_scene = Scene(lab)
        lab_scene.director.directory.chmod(0o755)
        lab_scene.machine.ip("link set lo up")
        yield lab_scene


def serve(scene: Scene, *listen: str) -> Process:
    """As an account without any rights, as its unit does."""
    log = f"metrics{len(scene.machine.lab.processes)}"
    made = scene.machine.spawn(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        str(BIN / "holdfastctl"), "--run-dir", str(scene.director.directory), "metrics",
        "--listen", *(listen or (f"127.0.0.1:{PORT}",)), log=log)
    assert eventually(lambda: "are served" in made.output(), 10) is not None, made.output()
    return made


@contextlib.contextmanager
def connection(scene: Scene) -> Iterator[http.client.HTTPConnection]:
    with scene.machine.inside():
        client = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        client.connect()
    with contextlib.closing(client):
        yield client


def get(scene: Scene, path: str, headers: dict | None = None) -> http.client.HTTPResponse:
    with connection(scene) as client:
        client.request("GET", path, headers=headers or {})
        answer = client.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        return answer


def probe(scene: Scene, path: str) -> tuple[int, dict]:
    answer = get(scene, path)
    return answer.status, json.loads(answer.text)


def samples(text: str) -> dict[str, float]:
    """By a strict reader of OpenMetrics: series → number."""
    found: dict[str, float] = {}
    for family in parser.text_string_to_metric_families(text):
        for one in family.samples:
            series = f"{one.name} {sorted(one.labels.items())}"
            assert series not in found, series
            found[series] = one.value
    return found


def series(name: str, **labels: str) -> str:
    return f"{name} {sorted(labels.items())}"


def test_a_scraper_reads_what_the_status_says(scene: Scene) -> None:
    scene.director.write_config(config() + SERVICE)
    scene.director.start()
    assert eventually(lambda: scene.state() == "MASTER", 10) is not None, scene.director.log()
    serve(scene)

    answer = get(scene, "/metrics", OPENMETRICS)

    assert answer.status == 200
    assert answer.getheader("Content-Type").startswith("application/openmetrics-text")
    found = samples(answer.text)
    assert found[series("keepalived_up")] == 1, answer.text
    vi = {"iname": "VI_1", "intf": "eth0", "vrid": "51"}
    assert found[series("keepalived_vrrp_state", **vi, ip_address="10.9.0.200")] == 2
    assert found[series("keepalived_advertisements_sent_total", **vi)] >= 1
    assert found[series("holdfast_server_configured_weight", service="TCP 10.9.0.200:80",
                        server="10.9.0.2:8080")] == 3
    assert found[series("holdfast_up", process="checkers")] == 1
    printed = scene.director.ctl("metrics").stdout
    assert set(samples(printed)) >= {one for one in found if "keepalived_" in one}


def test_prometheus_finds_nothing_to_complain_of(scene: Scene) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("there is no promtool here (package prometheus)")
    scene.director.write_config(config() + SERVICE)
    scene.director.start()
    assert eventually(lambda: scene.state() == "MASTER", 10) is not None, scene.director.log()

    page = scene.director.ctl("metrics", "--format", "prometheus").stdout

    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                          capture_output=True, check=False)
    # Its taste, not its grammar, in names that are older than it: code 3, one line each.
    remarks = [line for line in done.stderr.splitlines() if not line.startswith("keepalived_")]
    assert done.returncode in (0, 3) and not remarks, done.stderr


def test_a_real_prometheus_scrapes_it(scene: Scene, tmp_path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("there is no prometheus here")
    scene.start()
    assert eventually(lambda: scene.state() == "MASTER", 10) is not None, scene.director.log()
    serve(scene)
    wanted = tmp_path / "prometheus.yml"
    wanted.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: holdfast\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{PORT}']}}]\n", encoding="utf-8")
    scene.machine.spawn("prometheus", f"--config.file={wanted}",
                        f"--storage.tsdb.path={tmp_path}/tsdb",
                        "--web.listen-address=127.0.0.1:9090", log="prometheus")

    def asked(query: str) -> list:
        with scene.machine.inside():
            client = http.client.HTTPConnection("127.0.0.1", 9090, timeout=5)
            try:
                client.connect()
            except OSError:
                return []
        with contextlib.closing(client):
            client.request("GET", f"/api/v1/query?query={query}")
            return json.loads(client.getresponse().read())["data"]["result"]

    def state() -> list[str]:
        return [one["value"][1] for one in asked("keepalived_vrrp_state")]

    assert eventually(lambda: state() == ["2"], 30) is not None, asked("up")


def test_probes_are_told_the_truth(scene: Scene) -> None:
    scene.start()
    assert eventually(lambda: scene.state() == "MASTER", 10) is not None, scene.director.log()
    serve(scene)

    status, page = probe(scene, "/ready")
    assert (status, page["problems"]) == (200, []) and page["age_ms"] < 1000
    scene.machine.ip("link set eth0 down")
    assert eventually(lambda: scene.state() == "FAULT", 5) is not None
    time.sleep(1.1)
    status, page = probe(scene, "/ready")
    assert status == 503 and page["problems"][0].startswith("VI_1 is FAULT: "), page
    assert probe(scene, "/health")[0] == 200

    os.kill(scene.director.role_pid("vrrp"), signal.SIGSTOP)  # ended by the watchdog, later
    time.sleep(1.1)
    status, page = probe(scene, "/health")
    assert status == 503 and page["problems"][0].startswith("vrrp: "), page
    scene.director.stop()
    time.sleep(1.1)
    assert probe(scene, "/health")[0] == 503
    found = samples(get(scene, "/metrics", OPENMETRICS).text)
    assert found[series("keepalived_up")] == 0


def test_who_hangs_on_it_harms_nobody(scene: Scene) -> None:
    scene.start()
    assert eventually(lambda: scene.state() == "MASTER", 10) is not None, scene.director.log()
    exporter = serve(scene)
    get(scene, "/metrics")
    memory = read_memory(exporter.pid).private

    with contextlib.ExitStack() as hanging:
        def hang(words: bytes) -> socket.socket:
            with scene.machine.inside():
                client = socket.create_connection(("127.0.0.1", PORT), timeout=10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            if words:
                client.sendall(words)
            return hanging.enter_context(client)

        since = time.time()
        for each in range(100):
            hang((b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nA: ", b"\x16\x03\x01\r\n\r\n",
                  b"GET /metrics HTTP/1.1\r\n\r\n")[each % 5])
        for _ in range(20):
            begun = time.monotonic()
            assert get(scene, "/metrics").status == 200
            assert time.monotonic() - begun < 2
            time.sleep(0.1)
        slow = hang(b"GET / HTTP/1.1\r\n")
        slow.settimeout(8)
        assert slow.recv(10) == b""  # closed after five seconds
        advert_times = [one.at for one in scene.capture.adverts(since, vrid=51)]

    gaps = [later - earlier for earlier, later in zip(advert_times, advert_times[1:])]
    assert len(gaps) >= 4 and max(gaps) < 1.2, gaps
    assert read_memory(exporter.pid).private < memory + 8192
    assert get(scene, "/metrics").status == 200
    assert exporter.stop() == 0


@pytest.mark.parametrize(("request_line", "status"), [
    ("POST /metrics", 405), ("GET /etc/passwd", 404), ("GET /../../etc/passwd", 404)])
def test_nothing_else_is_served(scene: Scene, request_line: str, status: int) -> None:
    scene.start()
    serve(scene)
    method, path = request_line.split()
    with connection(scene) as client:
        client.request(method, path)
        assert client.getresponse().status == status


def test_a_path_is_an_address_too_and_is_taken_over_from_the_dead(scene: Scene) -> None:
    scene.start()
    scene.director.directory.chmod(0o777)
    path = scene.director.directory / "metrics.sock"
    first = serve(scene, str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    second = scene.director.ctl("metrics", "--listen", str(path))
    assert second.returncode == 1 and "listens on" in second.stderr
    first.send(signal.SIGKILL)
    first.wait()
    third = serve(scene, str(path))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert client.makefile().readline().startswith("HTTP/1.1 200 ")
    assert third.stop() == 0
    assert not path.exists()
