"""Tests in network namespaces of this kernel: VRRP, addresses, ARP. ip_vs's are in tests/vm."""

from __future__ import annotations

import pytest

from tests.lab import netns


@pytest.fixture(autouse=True, scope="session")
def _namespaces() -> None:
    reason = netns.why_unavailable()
    if reason:
        pytest.skip(reason)
