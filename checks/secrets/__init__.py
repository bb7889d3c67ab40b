"""Secrets: keys are set explicitly, passwords are nobody's default. Descriptions alone are judged, never a value."""

from .keys import app_key, jwt_secret
from .passwords import distinct, exposure, licence, postgresql_password, rabbitmq_password

__all__ = [  # noqa: RUF022 - the order of the checklist
    "app_key",
    "jwt_secret",
    "postgresql_password",
    "rabbitmq_password",
    "distinct",
    "licence",
    "exposure",
]
