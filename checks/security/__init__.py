"""Security: credentials are rotated, images get fixes, containers have no more rights than they need."""

from .credentials import credential_rotation
from .images import images_patched
from .pods import image_pull, pod_security

__all__ = [  # noqa: RUF022 - the order of the checklist
    "credential_rotation",
    "images_patched",
    "pod_security",
    "image_pull",
]
