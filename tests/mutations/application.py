"""Mutations of the row application."""

from __future__ import annotations

from tests.mutation import Mutation, put

MUTATIONS = [
    Mutation(
        "a second chronos is asked for",
        "multi_node",
        "application/singletons",
        lambda c: c.edit("Deployment", "exivity-chronos", put("spec.replicas", 2)),
    ),
    Mutation("the executor is gone", "multi_node", "application/services-present", lambda c: c.remove("Deployment", "exivity-executor")),
]
