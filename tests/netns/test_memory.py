"""What the processes occupy. The bounds are far above the noise and far below what an allocator
that keeps everything, or memory set aside in advance, would cost."""

import json
import socket
import time

import pytest

from tests.lab.crowd import ONE_SERVICE, crowd_cables, crowd_config, virtual_addresses_held
from tests.lab.director import Director
from tests.lab.memory import memory_of
from tests.lab.netns import Lab, eventually

ONE_INSTANCE = """global_defs {
 router_id one
}
vrrp_instance VI_1 {
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority 150
 virtual_ipaddress {
  10.100.1.1/32
 }
}
"""


@pytest.fixture
def lab(tmp_path):
    with Lab(tmp_path) as it:
        yield it


def start(lab, config, interfaces=1):
    switch = lab.switch("sw")
    machine, = lab.machines("a")
    crowd_cables(lab, switch, [machine], interfaces)
    director = Director(machine, config)
    director.start()
    return director


def measure_loop(director):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(director.directory / "vrrp.sock"))
        client.sendall(b'{"command": "measure-loop"}\n')
        return json.loads(client.makefile().readline())


def test_a_file_with_one_instance_costs_each_process_at_most_three_megabytes(lab):
    director = start(lab, ONE_INSTANCE + ONE_SERVICE)
    director.wait_for("10.100.1.1")

    def biggest():
        memory = memory_of(director)
        assert set(memory) == {"watchdog", "vrrp", "checkers"}
        return max(each.private for each in memory.values())

    # What only a change needs is given back a moment after it.
    assert eventually(lambda: biggest() <= 3072, 5) is not None, memory_of(director)


def test_thousands_of_instances_that_took_over_fit_into_fifteen_megabytes(lab):
    director = start(lab, crowd_config(16, 254, 100), interfaces=16)
    assert eventually(lambda: virtual_addresses_held(director.machine) == 4064, 60)

    def resident():
        return memory_of(director)["vrrp"].rss

    assert eventually(lambda: resident() <= 15 * 1024, 2), resident()
    time.sleep(3)  # adverts of all of them, three times
    assert resident() <= 17 * 1024


def test_reading_and_telling_leave_nothing_behind(lab):
    """508 instances: the model and the answer to `status` are megabytes, and go back."""
    director = start(lab, crowd_config(2, 254, 100), interfaces=2)
    assert eventually(lambda: virtual_addresses_held(director.machine) == 508, 20)
    before = memory_of(director)["vrrp"]

    for _ in range(3):
        assert len(director.status("vrrp")["instances"]) == 508
    told = memory_of(director)["vrrp"]
    for _ in range(3):
        assert director.ctl("reload").returncode == 0
    reloaded = memory_of(director)["vrrp"]

    assert told.private - before.private <= 600, (before, told)
    assert reloaded.private - before.private <= 1200, (before, reloaded)


def test_thousands_of_instances_rehearse_beside_their_adverts(lab):
    config = crowd_config(16, 254, 100)
    director = start(lab, config, interfaces=16)
    assert eventually(lambda: virtual_addresses_held(director.machine) == 4064, 60)
    time.sleep(3)
    before = memory_of(director)["vrrp"]
    measure_loop(director)
    director.write_config(config.replace("priority 100", "priority 90"))

    plans = [director.ctl("plan", "--json") for _ in range(3)]
    supposed = director.ctl("what-if", "eth0", "down")

    for plan in plans:
        actions = json.loads(plan.stdout)["rehearsed"]["vrrp"]["actions"]
        assert len(actions) == 4064  # each advertises its new priority once, which is new
    assert supposed.stdout.count("becomes FAULT") == 254
    loop = measure_loop(director)
    assert loop["busiest_turn_ms"] <= 40, loop  # an advert is late after seconds
    time.sleep(1.5)
    after = memory_of(director)["vrrp"]
    assert after.private - before.private <= 2048, (before, after)
