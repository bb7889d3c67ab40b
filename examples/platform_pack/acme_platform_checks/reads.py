"""What this pack reads beyond the tool's own reads: the namespace itself and its quotas."""

from __future__ import annotations

from exivity_audit.collect.place import Read, paths, release_namespace
from exivity_audit.snapshot import Place


def own_namespace(release):
    """The release's namespace, by name."""
    yield Place(None, release.namespace)


READS = (
    Read("own_namespace", "namespaces", own_namespace, paths("metadata.labels"), "Namespace"),
    Read("quotas", "resourcequotas", release_namespace(), paths("status.hard status.used"), "ResourceQuota"),
)
