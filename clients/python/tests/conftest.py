"""Where the gateway is: EARSHOT_URL, and EARSHOT_KEY where it asks for one."""

from __future__ import annotations

import os
from typing import AsyncIterator, Optional

import pytest
import pytest_asyncio
from network import Network

from earshot import Earshot


@pytest.fixture
def url() -> str:
    address = os.environ.get("EARSHOT_URL")
    assert address, "EARSHOT_URL is to name a gateway that runs"
    return address


@pytest.fixture
def key() -> Optional[str]:
    return os.environ.get("EARSHOT_KEY")


@pytest_asyncio.fixture
async def client(url: str, key: Optional[str]) -> AsyncIterator[Earshot]:
    async with Earshot(url, key) as earshot:
        yield earshot


@pytest_asyncio.fixture
async def network(url: str) -> AsyncIterator[Network]:
    async with Network(url) as between:
        yield between


@pytest_asyncio.fixture
async def far(network: Network, key: Optional[str]) -> AsyncIterator[Earshot]:
    """A client on the other side of the network."""
    async with Earshot(network.url, key) as earshot:
        yield earshot
