"""Keys of every kind that people leave where they do not belong: each a format, the text around it, and a value made up here by chance.

Nothing in this file is a key, nor looks like one to who scans it: what tells a format stands apart from the rest until a value is made.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Iterator

LETTERS, DIGITS, UPPER, LOWER = (
    string.ascii_letters + string.digits,
    string.digits,
    string.ascii_uppercase + string.digits,
    string.ascii_lowercase + string.digits,
)
HEX, CODED, CRYPT = "0123456789abcdef", LETTERS + "+/", LETTERS + "./"
Case = tuple[str, str, str]  # the format, the text it stands in, and the part of it that must not be left


def formats(seed: int) -> Iterator[Case]:
    """Every format with fresh values."""
    chance = random.Random(seed)

    def made(count: int, alphabet: str = LETTERS) -> str:
        # a digit early on: a word of letters alone is no key of these formats
        found = "".join(chance.choice(alphabet) for _ in range(count))
        return found if set(alphabet).isdisjoint(DIGITS) or set(found[:4]) & set(DIGITS) else f"{found[0]}7{found[2:]}"

    def case(name: str, text: str, value: str) -> Case:
        return name, text.replace("…", value), value

    def pem(kind: str) -> Case:
        body = "\n".join(made(64, CODED) for _ in range(4))
        name = f"{kind}PRIVATE KEY"
        return f"PEM {kind.strip() or 'PKCS 8'}", f"tls: could not parse:\n-----BEGIN {name}-----\n{body}\n-----END {name}-----\nin secret", body

    def coded(count: int) -> str:
        return base64.b64encode(f"app:{made(count)}".encode()).decode()

    yield case("AWS access key id", "using key … in eu-central-1", "AK" + "IA" + made(16, UPPER))
    yield case("AWS session key id", "assumed role with …: denied", "AS" + "IA" + made(16, UPPER))
    yield case("AWS secret of credentials", "[default]\naws_secret_access_key = …\nregion = eu", made(40, CODED))
    yield case("AWS secret as YAML", "AWS_SECRET_ACCESS_KEY: …", made(40, CODED))
    yield case("AWS session token", "env AWS_SESSION_TOKEN=… aws s3 ls", made(120, CODED))
    for kind in ("", "RSA ", "EC ", "DSA ", "ENCRYPTED ", "OPENSSH "):
        yield pem(kind)
    body = made(64, CODED)
    yield "PEM cut short", f"-----BEGIN {'RSA '}PRIVATE KEY-----\n{body}", body
    yield "PGP", f"-----BEGIN PGP {'PRIVATE'} KEY BLOCK-----\n\n{body}\n-----END PGP {'PRIVATE'} KEY BLOCK-----", body
    yield "PuTTY", f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{body}\nPrivate-MAC: {made(64, HEX)}\n", body
    yield case("JSON web token", "got … from the issuer", ".".join(("ey" + "J" + made(30), "ey" + "J" + made(60), made(43))))
    yield case(
        "service account token", "curl -H 'Authorization: Bearer …' https://10.43.0.1/api", ".".join(("ey" + "J" + made(40), made(400), made(86)))
    )
    yield case("bcrypt", "admin:…", "$2" + "y$05$" + made(53, CRYPT))
    yield case("argon2", "hash …", "$argon2" + f"id$v=19$m=65536,t=3,p=4${made(22, CODED)}${made(43, CODED)}")
    yield case("scrypt", "hash …", "$scr" + f"ypt$ln=16,r=8,p=1${made(22, CODED)}${made(43, CODED)}")
    yield case("PBKDF2", "user a, hash …, active", "pbkdf2" + f"_sha256$600000${made(22)}${made(43, CODED)}=")
    yield case("PBKDF2 of passlib", "hash …", "$pbkdf2" + f"-sha256$29000${made(22)}${made(43)}")
    yield case("SHA-512 crypt", "root:…:19000:0:99999:7:::", f"$6${made(16)}${made(86, CRYPT)}")
    yield case("yescrypt", "root:…:19000:0:99999:7:::", f"$y$j9T${made(22, CRYPT)}${made(43, CRYPT)}")
    yield case("htpasswd of Apache", "admin:…", f"$apr1${made(8)}${made(22, CRYPT)}")
    yield case("htpasswd in SHA-1", "admin:{SHA}…", made(27, CODED) + "=")
    yield case("SCRAM of PostgreSQL", "ALTER ROLE app SET '…'", "SCRAM-SHA" + f"-256$4096:{made(24, CODED)}${made(43, CODED)}=:{made(43, CODED)}=")
    yield case("MD5 of PostgreSQL", "rolpassword …", "md5" + made(32, HEX))
    for scheme in ("https", "amqp", "amqps", "postgresql", "postgres", "redis", "mongodb+srv", "cifs", "s3", "ldap", "smtp"):
        yield case(f"user info of {scheme}", f"cannot reach {scheme}://app:…@host.acme.eu/x: timed out", made(16))
    yield case("user info without a user", "redis://:…@redis:6379/0", made(16))
    yield case("a token in the place of a user", "cloning https://…@github.com/acme/platform failed", made(24))
    yield case("libpq", "host=db port=5432 user=app password=… dbname=exivity", made(16))
    yield case("libpq in quotes", "host=db user=app password='…' dbname=exivity", f"{made(8)} {made(8)}")
    yield case("JDBC", "jdbc:postgresql://db/exivity?user=app&password=…&ssl=true", made(16))
    yield case("ODBC", "Server=db;Uid=app;Pwd=…;Database=exivity", made(16))
    yield case("pgpass", "db.acme.eu:5432:exivity:app:…", made(16))
    yield case("rabbitmq.conf", "default_user = app\ndefault_pass = …\nvm_memory = 0.4", made(24))
    yield case("Erlang cookie", "erlang_cookie=…", made(20, string.ascii_uppercase))
    yield case("mount option", "username=app,password=…,vers=3.0", made(16))
    yield case("mount option in short", "username=app,pass=…,vers=3.0", made(16))
    yield case("an argument", "--providers.kubernetesCRD.token=…", made(24))
    yield case("an argument in two", "exec: kubeadm join 10.0.0.1:6443 --token …", f"{made(6, LOWER)}.{made(16, LOWER)}")
    yield case("Java's property", "-Djavax.net.ssl.keyStorePassword=… -jar x.jar", made(16))
    yield case("environment", "PGPASSWORD=… pg_dump exivity", made(16))
    yield case("YAML", "auth:\n  username: app\n  password: …\n", made(16))
    yield case("JSON", '{"username":"app","password":"…"}', made(16))
    yield case("JSON in JSON", '{"data":"{\\"password\\":\\"…\\"}"}', made(16))
    yield case("XML", "<auth><password>…</password></auth>", made(16))
    yield case("Laravel's key", "EXIVITY_APP_KEY is base64:…", made(43, CODED) + "=")
    yield case("Authorization Basic", "Authorization: Basic …", coded(16))
    yield case("Authorization Bearer", "authorization=Bearer …", made(40))
    yield case("Proxy-Authorization", "Proxy-Authorization: Basic …", coded(16))
    yield case("Authorization as JSON", '{"Authorization": "token …"}', made(40, HEX))
    yield case("a bearer in a sentence", "tried the bearer … twice", made(30))
    yield case("X-Api-Key", "X-Api-Key: …", made(32))
    yield case("X-Auth-Token", "header X-Auth-Token: … refused", made(32))
    yield case("Cookie", "Cookie: session=…", made(32))
    yield case("docker config", '{"auths": {"registry.corp": {"auth": "…"}}}', coded(16))
    yield case("npmrc", "//registry.npmjs.org/:_authToken=…", made(36))
    for prefix, count in (("p", 36), ("o", 36), ("u", 36), ("s", 36), ("r", 76)):
        yield case(f"GitHub gh{prefix}", "remote: …: bad credentials", "gh" + f"{prefix}_{made(count)}")
    yield case("GitHub, fine-grained", "remote: …: bad credentials", "github" + f"_pat_{made(22)}_{made(59)}")
    for prefix in ("pat", "dt", "rt", "cbt", "ptt", "ft", "agent"):
        yield case(f"GitLab gl{prefix}", "runner registered with …", "gl" + f"{prefix}-{made(20)}")
    yield case("Slack bot", "posting with … failed", "xox" + f"b-{made(12, DIGITS)}-{made(12, DIGITS)}-{made(24)}")
    yield case("Slack application", "posting with … failed", "xapp" + f"-1-A{made(10, UPPER)}-{made(13, DIGITS)}-{made(64, HEX)}")
    yield case("Slack webhook", "Post https://hooks.slack.com/services/T7/…: 404", f"B{made(8, UPPER)}/{made(24)}")
    yield case(
        "Teams webhook", "Post https://acme.webhook.office.com/webhookb2/…: 404", f"{made(8, HEX)}@{made(8, HEX)}/IncomingWebhook/{made(32, HEX)}"
    )
    yield case("Discord webhook", "Post https://discord.com/api/webhooks/…: 404", f"{made(18, DIGITS)}/{made(68)}")
    yield case("Telegram bot", "bot … is unauthorized", f"{made(10, DIGITS)}:AA{made(33)}")
    yield case("Stripe", "charged with …", "sk" + f"_live_{made(24)}")
    yield case("Stripe, restricted", "charged with …", "rk" + f"_live_{made(24)}")
    yield case("Google API key", "https://maps.googleapis.com/?k=…", "AI" + "za" + made(35))
    yield case("Google client secret", "client … is wrong", "GOC" + f"SPX-{made(28)}")
    yield case("Google access token", "expired: …", "ya" + f"29.{made(60)}")
    yield case("Azure storage", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=…;EndpointSuffix=core.windows.net", made(86, CODED) + "==")
    yield case("Azure service bus", "Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey=…", made(43, CODED) + "=")
    yield case("Azure signature", "https://x.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=…", made(43) + "%3D")
    yield case("S3 signature", "https://s3.acme.eu/x?X-Amz-Expires=60&X-Amz-Signature=…", made(64, HEX))
    yield case("Azure client secret", "client … is wrong", f"{made(3)}8Q~{made(34)}")
    yield case("npm", "publishing with …", "np" + f"m_{made(36)}")
    yield case("PyPI", "publishing with …", "py" + f"pi-AgEIcHlwaS5vcmc{made(80)}")
    yield case("Vault", "token lookup of … failed", "hv" + f"s.{made(90)}")
    yield case("SendGrid", "mail by … refused", "S" + f"G.{made(22)}.{made(43)}")
    yield case("DigitalOcean", "droplet by …", "dop" + f"_v1_{made(64, HEX)}")
    yield case("Docker Hub", "pull with … refused", "dckr" + f"_pat_{made(27)}")
    yield case("Grafana", "dashboard by …", "gl" + f"sa_{made(32)}_{made(8, HEX)}")
    yield case("Hugging Face", "model by …", "h" + f"f_{made(34)}")
    yield case("age", "identity …", "AGE-SECRET" + f"-KEY-1{made(58, UPPER)}")
    yield case("WireGuard", "[Interface]\nPrivateKey = …", made(43, CODED) + "=")
