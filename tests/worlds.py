"""Worlds of tests that are built once for many, in databases of this process's own.

A story's cast and a stage's day take longer to build than most tests take that use them. Each
stands, committed, in a clone of the migrated database; a test that uses it is led there before its
transaction begins, works on a copy of what was built, and leaves nothing behind.
"""

import contextlib
import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

APART = 1_000_000
"""Numbers of rows differ between worlds by so much: caches go by them, and outlive a test."""
AHEAD = """
SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, %s)
FROM pg_sequences WHERE schemaname = 'public'
"""


class World:
    """What one function builds, and the connection that leads to it."""

    def __init__(self, build: Callable[[], Any], fresh_s: float) -> None:
        self.build, self.fresh_s = build, fresh_s
        self.link: BaseDatabaseWrapper | None = None
        self.made: Any = None
        self.made_at = 0.0

    def stands(self) -> bool:
        """Whether it is there, and young enough."""
        return self.link is not None and time.monotonic() - self.made_at < self.fresh_s


class Worlds:
    """Those of one process; `administer` runs statements on the server, outside any database."""

    def __init__(self, template: str, prefix: str, administer: Callable[..., None]) -> None:
        self._template, self._prefix, self._administer = template, prefix, administer
        self._worlds: dict[str, World] = {}
        self._count = 0

    @contextlib.contextmanager
    def entered(
        self, name: str, build: Callable[[], Any], fresh_s: float = float("inf")
    ) -> Iterator[Any]:
        """Lead to the world of that name and give a copy of what was built there.

        `fresh_s`: a world that shows the present is built anew once it is as old as that. Where a
        transaction has begun already it is too late to be led anywhere: it is built there.
        """
        before = connections["default"]
        if before.in_atomic_block:
            yield build()
            return
        world = self._worlds.setdefault(name, World(build, fresh_s))
        if not world.stands():
            self._renew(name, world, before)
        connections["default"] = world.link
        try:
            yield copy.deepcopy(world.made)
        finally:
            connections["default"] = before

    def _renew(self, name: str, world: World, before: BaseDatabaseWrapper) -> None:
        self._drop(name, world)
        self._administer(f'CREATE DATABASE "{self._prefix}_{name}" TEMPLATE "{self._template}"')
        self._count += 1
        world.link = link = before.copy()
        link.settings_dict["NAME"] = f"{self._prefix}_{name}"
        connections["default"] = link
        try:
            with link.cursor() as cursor:
                cursor.execute(AHEAD, [APART * self._count])
            world.made, world.made_at = world.build(), time.monotonic()
        except BaseException:
            self._drop(name, world)
            raise
        finally:
            connections["default"] = before

    def _drop(self, name: str, world: World) -> None:
        if world.link is not None:
            world.link.close()
            world.link = None
            self._administer(f'DROP DATABASE IF EXISTS "{self._prefix}_{name}" WITH (FORCE)')

    def drop(self) -> None:
        """Remove all of them."""
        for name, world in self._worlds.items():
            self._drop(name, world)
