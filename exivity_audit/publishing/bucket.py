"""An S3-compatible bucket: the JSON report, and the page and the snapshot where asked, each one signed PUT (extra ``s3``)."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from exivity_audit.collect.deadline import Deadline
from exivity_audit.publishing.destination import Finished, Trouble
from exivity_audit.publishing.sender import CONNECT, Request, Sender, connection_to

if TYPE_CHECKING:
    from minio.credentials.credentials import Credentials

Content = Literal["json", "html", "snapshot"]
_AMAZON = re.compile(r"(?P<bucket>.+\.)?s3[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?")
_NEXT = "let its credentials put objects there, and nothing else: s3:PutObject on this prefix"
WORDS = {
    301: ("the bucket is in another region", "correct the address, or publish.bucket.region"),
    307: ("the bucket is in another region", "correct the address, or publish.bucket.region"),
    400: ("it did not take the request, as for a wrong region or an expired token", "correct publish.bucket.region, and renew the credentials"),
    401: ("it does not accept the credentials", _NEXT),
    403: ("it does not accept the credentials, or they may not write there", f"{_NEXT}; check this machine's clock and the region too"),
    404: ("there is no such bucket", "correct the address: https://HOST/BUCKET/PREFIX"),
}  # fmt: skip


class Bucket(Struct, frozen=True):
    """Where objects go (bucket and prefix stand in the URL), which, and where the keys are: a file, else the environment."""

    url: str
    region: str = ""
    content: tuple[Content, ...] = ("json",)
    credentials_file: Path | None = None
    profile: str | None = None
    ca_file: Path | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"the bucket at {self.url}"

    def publish(self, finished: Finished, deadline: Deadline) -> None:
        """Put each object. Raises Trouble."""
        credentials = self._credentials(deadline)
        with Sender(connection_to(self.url, self.ca_file), deadline) as sender:
            for name, content_type, body in objects(finished, self.content):
                sender.send(self._signed(f"{self.url}/{name}", content_type, body, credentials), WORDS)

    def _signed(self, url: str, content_type: str, body: bytes, credentials: Credentials) -> Request:
        from minio.signer import sign_v4_s3

        parts, now, digest = urlsplit(url), datetime.now(UTC), hashlib.sha256(body).hexdigest()
        headers: dict[str, Any] = {
            "Host": parts.netloc, "Content-Type": content_type, "x-amz-content-sha256": digest, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }  # fmt: skip
        if credentials.session_token:
            headers["x-amz-security-token"] = credentials.session_token
        signed = sign_v4_s3(
            method="PUT",
            url=parts,
            region=self._region(parts.hostname or ""),
            headers=headers,
            credentials=credentials,
            content_sha256=digest,
            date=now,
        )
        return Request("PUT", url, body, {name: str(value) for name, value in signed.items()}, repeatable=True)

    def _region(self, host: str) -> str:
        amazon = _AMAZON.fullmatch(host)
        return (
            self.region or (amazon["region"] if amazon else "") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        )

    def _credentials(self, deadline: Deadline) -> Credentials:
        """The first that is there: the config's file, keys of the environment, the pod's role, the environment's file. Raises Trouble."""
        from minio.credentials.providers import AWSConfigProvider, EnvAWSProvider

        given = os.environ
        try:
            if self.credentials_file is not None or not (given.get("AWS_ACCESS_KEY_ID") or _has_role()):
                file = self.credentials_file or given.get("AWS_SHARED_CREDENTIALS_FILE")
                if file is None:
                    what = "no credentials for the bucket are there"
                    raise Trouble(
                        what, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give the pod a role, or name publish.bucket.credentials_file"
                    )
                found = AWSConfigProvider(str(file), self.profile).retrieve()
            elif given.get("AWS_ACCESS_KEY_ID"):
                found = EnvAWSProvider().retrieve()
            else:
                found = _of_role(deadline)
        except Trouble:
            raise
        except Exception:  # the text of a parser's error quotes the file, and that of a server's answer anything
            raise Trouble(
                "the credentials for the bucket cannot be used", "check the file or the variables, or the role of the pod's service account"
            ) from None
        if not found.access_key or not found.secret_key:
            raise Trouble("of the credentials for the bucket a half is missing", "give both the access key and the secret key")
        return found


def names_bucket(url: str) -> bool:
    """Whether a URL leads into a bucket: by its path, or by Amazon's host names. A PUT without one would make a bucket."""
    parts = urlsplit(url)
    amazon = _AMAZON.fullmatch(parts.hostname or "")
    return bool(parts.path) or bool(amazon and amazon["bucket"])


def _has_role() -> bool:
    names = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    return any(os.environ.get(name) for name in names)


def _of_role(deadline: Deadline) -> Credentials:
    """The short-lived keys of the role that the platform gave the pod; a machine's own role is never asked for."""
    import urllib3
    from minio.credentials.providers import IamAwsProvider

    from exivity_audit.collect import pools

    server = "https://sts.amazonaws.com" if os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") else "http://127.0.0.1"  # the latter asks for no proxy
    manager = pools.manager(connection_to(server, None), 1)
    seconds = deadline.remaining()
    manager.connection_pool_kw["timeout"] = urllib3.Timeout(connect=min(CONNECT, seconds), read=seconds)
    with _watched(seconds):
        return IamAwsProvider(http_client=manager).retrieve()


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    from exivity_audit.collect import pools

    watchdog = pools.Watchdog()
    try:
        with watchdog.limit(seconds):
            yield
    finally:
        watchdog.stop()


def objects(finished: Finished, content: tuple[Content, ...]) -> Iterator[tuple[str, str, bytes]]:
    """Name, media type and bytes of each object; the report has the name that a history's folder gives it, so the bucket may serve as one."""
    from exivity_audit.past_report import file_name

    judgement = finished.card.judgement
    site = judgement.snapshot.sites[0]
    stem = file_name(judgement.now, site.cluster, site.namespace, site.release).removesuffix(".json")
    if "snapshot" in content:
        from exivity_audit.snapshot import encode

        yield f"{stem}.snapshot.json.gz", "application/gzip", gzip.compress(encode(judgement.snapshot), mtime=0)
    if "html" in content:
        from exivity_audit.reports.html import render_html
        from exivity_audit.reports.trend import points

        yield f"{stem}.html", "text/html; charset=utf-8", render_html(finished.card, finished.run, finished.language, points(finished.card))
    if "json" in content:
        from exivity_audit.reports.json_report import json_report

        yield f"{stem}.json", "application/json", json_report(finished.card, finished.run)
