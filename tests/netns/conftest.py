"""Tests in network namespaces of this kernel: VRRP, addresses, ARP. ip_vs's are in tests/vm."""

from __future__ import annotations

import pytest

from tests.lab import netns

# What judges milliseconds, or burdens the machine so that others would be judged unjustly, as do
# tests that are marked one by one. All others run in two lanes (`./dev test`): most of their time
# is waiting for an interval.
ALONE = {f"test_{name}" for name in (
    "chaos", "checkers_hostile", "dumps", "hostile_addresses", "hostile_turns", "memory",
    "reload_pairs", "scheduling", "strangers", "vrrp_pace", "vrrp_timing")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in ALONE:
            item.add_marker("alone")


@pytest.fixture(autouse=True, scope="session")
def _namespaces() -> None:
    reason = netns.why_unavailable()
    if reason:
        pytest.skip(reason)
