"""A pack of rogue checks, written into a folder: each does one thing that no check may do, between two that behave."""

from __future__ import annotations

from pathlib import Path

CHECK = '''

@check("{slug}", severity=LOW, clauses=("X1",))
def {name}(nodes):
    """Nodes are there.

    Because.

    Fix: add one.
    """
    {body}
'''
HEAD = """
from __future__ import annotations
import asyncio, builtins, ctypes, gc, os, signal, socket, subprocess, sys, threading, time, urllib.request
from pathlib import Path
from exivity_audit import LOW, check, ok, fail
from exivity_audit.subject import Subject
"""
GOOD = "yield ok(Subject('Cluster'), len(nodes))"
# What each does; a good verdict follows, where it gets so far. True: that is what must be told; False: an error; None: either, but nothing else.
ROGUES: dict[str, tuple[str, bool | None]] = {
    "raises": ("raise RuntimeError('password=' + 'cAnArYfault7f3ahunter2')", False),
    "raises base": ("raise BaseException('x')", False),
    "exits": ("sys.exit(0)", False),
    "exits hard": ("os._exit(0)", False),
    "interrupts": ("raise KeyboardInterrupt", False),
    "loops": ("while True: pass", False),
    "sleeps": ("time.sleep(3600)", False),
    "recurses": ("(lambda f: f(f))(lambda f: f(f))", False),
    "takes memory": ("x = bytearray(2**31)", False),
    "takes memory bit by bit": ("x = []\n    while True: x.append(bytearray(2**24))", False),
    "says too much": ("yield ok(Subject('Cluster', 'x'), 'x' * 2**25)", False),
    "says it for ever": ("n = 0\n    while True:\n        n += 1\n        yield ok(Subject('Cluster', str(n)), 1)", False),
    "says something else": ("yield 'pass'", False),
    "says nothing that can be written": ("yield ok(Subject('Cluster', 'x'), float('nan'), remark=object())", False),
    "returns": ("return 7", None),
    "forks": ("os.fork()", None),
    "forks and stays": ("if os.fork() == 0: time.sleep(3600)", True),
    "forks many": ("[os.fork() for _ in range(5)]", None),
    "kills itself": ("os.kill(os.getpid(), signal.SIGKILL)", False),
    "kills its parent": ("os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(1)", False),
    "kills its group": ("os.killpg(0, signal.SIGKILL)", False),
    "crashes": ("ctypes.string_at(0)", False),
    "closes everything": ("os.closerange(0, 64)", False),
    "writes to everything": ("for n in range(3, 20):\n        try: os.write(n, b'{\"check\": \"rogue/last\", \"site\": \"default\", \"verdicts\": []}\\n')\n        except OSError: pass", False),
    "prints": ("print('x' * 10000); sys.stdout.flush(); os.write(1, b'x'); os.write(2, b'y')", True),
    "reads what is typed": ("sys.stdin.read()", True),
    "patches the engine": ("import exivity_audit.verdict as v\n    v.Verdict.__init__ = None\n    builtins.len = None", False),
    "patches the other checks": ("for m in list(sys.modules.values()):\n        for n in list(vars(m)):\n            if n.startswith('ok') or n == 'check': setattr(m, n, None)", False),
    "changes what it was given": ("for n in nodes: object.__setattr__(n, 'name', 'evil'); n.labels.clear()", False),
    "changes what others were given": ("for o in gc.get_objects():\n        if isinstance(o, dict) and 'metadata' in o: o.clear()", True),
    "reads the environment": ("assert not [k for k in os.environ if k not in ('LC_CTYPE', '__CF_USER_TEXT_ENCODING')], dict(os.environ)", True),
    "reads the parent's environment": ("t = Path(f'/proc/{os.getppid()}/environ').read_bytes()\n    assert not t, t", True),
    "writes a file": ("Path('/tmp/rogue-was-here').write_text('x')", False),
    "writes a file here": ("Path('rogue-was-here').write_text('x')", False),
    "changes the limits": ("import resource\n    resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))\n    x = bytearray(2**31)", None),
    "starts threads": ("[threading.Thread(target=time.sleep, args=(3600,)).start() for _ in range(5)]", True),
    "ignores signals": ("[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)]\n    time.sleep(3600)", False),
    "connects": ("socket.create_connection(('127.0.0.1', {port}), 5)", False),
    "connects without waiting": ("s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', {port}))", False),
    "connects by UDP": ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', {port}))", False),
    "sends a datagram": ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))", False),
    "fetches": ("urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=5)", False),
    "connects by asyncio": ("asyncio.run(asyncio.wait_for(asyncio.open_connection('127.0.0.1', {port}), 5))", False),
    "connects from a thread, and says nothing": ("threading.Thread(target=lambda: socket.create_connection(('127.0.0.1', {port}), 5)).start(); time.sleep(0.2)", True),
    "looks up a name": ("socket.getaddrinfo('localhost', 80)", False),
    "looks up a name as of old": ("socket.gethostbyname('localhost')", False),
    "binds": ("socket.socket().bind(('127.0.0.1', 0))", False),
    "serves": ("socket.create_server(('127.0.0.1', 0))", False),
    "runs a program": ("subprocess.run(['true'])", False),
    "runs a shell": ("os.system('true')", False),
    "becomes a program": ("os.execv('/bin/true', ['true'])", False),
    "spawns a program": ("os.posix_spawn('/bin/true', ['true'], {})", False),
    "forks and becomes a program": ("if os.fork() == 0: os.execv('/bin/sh', ['sh', '-c', 'kill -9 $PPID'])\n    time.sleep(0.2)", None),
    "looks for our secrets": ("import exivity_audit.collect as c\n    assert not [o for o in gc.get_objects() if type(o).__name__ in ('Transport', 'Fixed', 'ExecCredentials', 'Connection')]", True),
}  # fmt: skip


def write(folder: Path, port: int = 9) -> list[str]:
    """The pack in a folder; the slugs of the rogues in order. ``port`` is where those go that try to connect."""
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "checklist.yaml").write_text("name: Rogues\nversion: '1'\nrows:\n  - {id: rogue, title: Rogues, phase: day-2, weight: 1}\n")
    parts, slugs = [HEAD, CHECK.format(slug="first", name="first", body=GOOD)], []
    for number, (name, (body, _)) in enumerate(ROGUES.items()):
        slug = name.replace(" ", "-").replace("'", "").replace(",", "")
        parts.append(CHECK.format(slug=slug, name=f"rogue_{number}", body=f"{body.replace('{port}', str(port))}\n    {GOOD}"))
        slugs.append(slug)
    parts.append(CHECK.format(slug="last", name="last", body=GOOD))
    (folder / "rogue.py").write_text("".join(parts))
    return slugs
