"""haul beside other programs, pair by pair. See run.sh."""

import argparse
import base64
import datetime
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from report import Row, write_page, write_plot, write_table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SERVERS = ROOT / "tests/servers"
INSTALLED = Path(os.environ.get("HAUL_TEST_SERVERS", ROOT / "target/servers"))
PASSWORD = "swordfish-1"
# A run that takes longer has failed, in seconds.
LONGEST = 120

# Rounds, files for each kind of row, MiB of the large file, files of a second run, files of a long walk, files at 50 ms; and the seconds after
# which no further round begins.
SIZES = {
    "toy": dict(rounds=1, small=20, pro=10, large=2, again=50, walk=200, far=4, starts=2, budget=120),
    "quick": dict(rounds=3, small=2000, pro=500, large=1024, again=10_000, walk=100_000, far=200, starts=11, budget=400),
    "full": dict(rounds=5, small=2000, pro=500, large=1024, again=10_000, walk=100_000, far=200, starts=21, budget=3600),
}


class Link:
    """Where the client and the servers are: two network namespaces with a line between, or this machine's loopback."""

    def __init__(self, base, delay_ms):
        self.delay_ms, self.client, self.server, self.address, self.line = delay_ms, [], [], "127.0.0.1", None
        self.names = [f"haulc{os.getpid()}", f"hauls{os.getpid()}"]
        self.is_own = os.geteuid() == 0 and shutil.which("ip") and self.make(base)
        if delay_ms and not self.is_own:
            raise Missing("rows with a delay: they need root, ip, cc and /dev/net/tun")

    def make(self, base):
        one, two = self.names
        try:
            for name in self.names:
                sh("ip", "netns", "add", name)
            if self.delay_ms:
                sh("cc", "-O2", "-pthread", "-o", base / "delay", HERE / "delay.c")
                self.line = subprocess.Popen([base / "delay", "haulp0", "haulp1", str(self.delay_ms * 500)], stdout=subprocess.PIPE)
                if self.line.stdout.readline() != b"ready\n":
                    raise OSError("no line")
                sh("ip", "link", "set", "haulp0", "netns", one)
                sh("ip", "link", "set", "haulp1", "netns", two)
            else:
                sh("ip", "link", "add", "haulp0", "netns", one, "type", "veth", "peer", "name", "haulp1", "netns", two)
            for name, device, address in [(one, "haulp0", "10.78.0.1/30"), (two, "haulp1", "10.78.0.2/30")]:
                sh("ip", "-n", name, "link", "set", "lo", "up")
                sh("ip", "-n", name, "addr", "add", address, "dev", device)
                sh("ip", "-n", name, "link", "set", device, "mtu", "1500", "txqueuelen", "10000", "up")
        except (OSError, subprocess.CalledProcessError):
            self.end()
            return False
        self.client, self.server = ["ip", "netns", "exec", one], ["ip", "netns", "exec", two]
        self.address = "10.78.0.2"
        return True

    def end(self):
        if self.line:
            self.line.kill()
            self.line.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


class Missing(Exception):
    """What can't be measured here, and why."""


def sh(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Server:
    """A process that listens; `root` is where the files land."""

    def __init__(self, link, command, port, root, env=None, tells_port=False):
        self.root, self.port = root, port
        out = subprocess.PIPE if tells_port else subprocess.DEVNULL
        self.said = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(link.server + [str(word) for word in command], stdout=out, stderr=self.said,
                                        env={**os.environ, **(env or {})}, start_new_session=True)
        if tells_port:
            self.port = int(self.process.stdout.readline() or 0)
            # What else it tells must not fill the pipe.
            threading.Thread(target=self.process.stdout.read, daemon=True).start()
        if not self.port or not self.listens(link):
            print(Path(self.said.name).read_text(errors="replace")[-500:], file=sys.stderr)
            self.end()
            raise Missing(f"{Path(str(command[0])).name} did not start")

    def listens(self, link):
        probe = f"import socket; socket.create_connection(('{link.address}', {self.port}), 1)"
        for _ in range(100):
            if self.process.poll() is not None:
                return False
            if subprocess.run(link.client + [sys.executable, "-c", probe], stderr=subprocess.DEVNULL).returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def empty(self):
        for entry in self.root.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def with_folder(self):
        """lftp does not make the folder that it mirrors into."""
        self.empty()
        folder = self.root / "x"
        folder.mkdir()
        shutil.chown(folder, "daemon")

    def files(self):
        return [entry for entry in self.root.rglob("*") if entry.is_file() and entry.suffix not in (".json", ".info")]

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        except ProcessLookupError:
            pass
        self.said.close()


class Measured:
    def __init__(self, wall, cpu, mib):
        self.wall, self.cpu, self.mib = wall, cpu, mib


def measure(command, env=None):
    """One run: seconds, CPU seconds of it and its children, and its largest memory in MiB."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                                 env={**os.environ, **(env or {})})
        timer = threading.Timer(LONGEST, child.kill)
        timer.start()
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"status {child.returncode}: {said.read()[-300:].decode(errors='replace').strip()}")
    return Measured(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


class Bench:
    def __init__(self, haul, base, mode):
        self.haul, self.base, self.mode, self.size = haul, base, mode, SIZES[mode]
        self.rows, self.missing, self.link, self.begun = [], [], None, time.monotonic()

    def is_late(self):
        return time.monotonic() - self.begun > self.size["budget"]

    def file(self, mib):
        path = self.base / f"data/{mib}.bin"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            with open(path, "wb") as out:
                for _ in range(mib):
                    out.write(os.urandom(1 << 20))
        return path

    def folder(self, count, size=4096):
        path = self.base / f"data/{count}x{size}"
        if not path.exists():
            path.mkdir(parents=True)
            content = os.urandom(size + count)
            for n in range(count):
                (path / f"f{n:06}").write_bytes(content[n:n + size])
        return path

    def env(self, **remote):
        """haul with one remote `r`, and a state of its own."""
        state = tempfile.mkdtemp(prefix="state", dir=self.base)
        keys = {f"HAUL_REMOTE_R_{key.upper()}": str(value) for key, value in remote.items()}
        return {"XDG_STATE_HOME": state, "XDG_CONFIG_HOME": state, **keys}

    def pair(self, label, peer, peer_run, haul_run, before="", prepare=None, check=None, rounds=None):
        """Both in turn, forwards and backwards; the ratio is the median of the rounds' own."""
        if self.is_late():
            self.missing.append(f"row \"{label}\", for lack of time")
            return
        program = peer.split()[0]
        if not shutil.which(program):
            self.missing.append(f"{program} (row \"{label}\")")
            peer_run = None
        runs = {"peer": [], "haul": []}
        try:
            for n in range(rounds or self.size["rounds"]):
                if n and self.is_late():
                    break
                for who in ["peer", "haul"] if n % 2 == 0 else ["haul", "peer"]:
                    run = peer_run if who == "peer" else haul_run
                    if run is None:
                        continue
                    if prepare:
                        prepare()
                    command, env = run()
                    runs[who].append(measure(self.link.client + command, env))
                    if check and not check():
                        raise RuntimeError(f"{peer if who == 'peer' else 'haul'}: what arrived is not what was sent")
        except RuntimeError as failure:
            print(f"{label}: {failure}", file=sys.stderr)
            self.missing.append(f"row \"{label}\", as a run failed")
            return
        self.rows.append(Row.of(label, peer, runs["peer"], runs["haul"], before))
        print(self.rows[-1].line(), flush=True)

    # servers

    def ftp(self, name):
        folder = Path(tempfile.mkdtemp(prefix=name, dir=self.base))
        folder.chmod(0o755)
        sh(SERVERS / "ca.sh", folder, f"IP:{self.link.address}")
        (folder / "password").write_text(PASSWORD + "\n")
        if name == "proftpd" and not (INSTALLED / "proftpd").exists():
            raise Missing("proftpd (tests/servers/install.sh brings it)")
        if name == "vsftpd" and not shutil.which("vsftpd", path=os.environ.get("PATH", "") + ":/usr/sbin"):
            raise Missing("vsftpd (tests/servers/install.sh brings it)")
        options = {
            "vsftpd": [f"listen_address={self.link.address}", "anon_mkdir_write_enable=YES"],
            "proftpd": ["MaxInstances none"],
        }[name]
        port = free_port()
        server = Server(self.link, [SERVERS / f"{name}.sh", folder, port, *options], port, folder / "root/in", {"BIND": self.link.address})
        server.ca = folder / "ca.crt"
        return server

    def haul_ftp(self, server):
        return self.env(provider="ftp", url=f"ftps://{self.link.address}:{server.port}", username="anonymous", password=PASSWORD, ca_file=server.ca)

    def lftp(self, server, work):
        return ["lftp", "-c", f"set cmd:fail-exit yes; set net:max-retries 2; set ssl:ca-file {server.ca}; set ftp:ssl-force yes; "
                f"set ftp:ssl-protect-data yes; open -u anonymous,{PASSWORD} -p {server.port} ftp://{self.link.address}; {work}"], None

    def small_ftp(self, server, name, count, before):
        files = self.folder(count)
        self.pair(f"FTPS {name}, {count} × 4 KiB{self.far()}", "lftp p8",
                  lambda: self.lftp(server, f"mirror -R --parallel=8 {files} in/x"),
                  lambda: ([self.haul, "put", "-q", f"{files}/", "r:/in/x/"], self.haul_ftp(server)),
                  before, server.with_folder, lambda: len(server.files()) == count)

    def far(self):
        return f", {self.link.delay_ms} ms" if self.link.delay_ms else ""

    def large_ftp(self, server):
        file = self.file(self.size["large"])
        curl = ["curl", "-sS", "--ssl-reqd", "--cacert", server.ca, "-u", f"anonymous:{PASSWORD}", "-T", file]
        self.pair(f"FTPS vsftpd, one file of {self.size['large']} MiB", "curl",
                  lambda: ([*curl, f"ftp://{self.link.address}:{server.port}/in/b"], None),
                  lambda: ([self.haul, "put", "-q", file, "r:/in/b"], self.haul_ftp(server)),
                  "1.40", server.empty, lambda: same(server.files(), file))

    def again_ftp(self, server):
        if self.is_late():
            return self.missing.append("a second put, for lack of time")
        count = self.size["again"]
        files, env = self.folder(count), self.haul_ftp(server)
        server.empty()
        try:
            measure([*self.link.client, self.haul, "put", "-q", f"{files}/", "r:/in/x/"], env)
        except RuntimeError as failure:
            print(f"a second put: {failure}", file=sys.stderr)
            return self.missing.append("a second put: the first failed")
        rclone = ["rclone", "copy", "--ftp-host", self.link.address, "--ftp-port", server.port, "--ftp-user",
                  "anonymous", "--ftp-explicit-tls", "--ftp-disable-tls13", "--size-only", files, ":ftp:in/x"]
        self.pair(f"FTPS vsftpd, a second put of {count} unchanged files", "rclone copy (sizes only)",
                  lambda: (rclone, {"RCLONE_CONFIG": "/dev/null", "RCLONE_FTP_PASS": obscured(), "SSL_CERT_FILE": str(server.ca)}),
                  lambda: ([self.haul, "put", "-q", f"{files}/", "r:/in/x/"], env), "not measured", rounds=1)

    def walk_ftp(self, server):
        """How long until the first of many files is there, and what memory they take."""
        if self.is_late():
            return self.missing.append("the first of many files, for lack of time")
        count, seconds = self.size["walk"], 10 if self.mode != "toy" else 1
        files = self.folder(count, 16)
        server.empty()
        command = [str(word) for word in [*self.link.client, self.haul, "put", "-q", f"{files}/", "r:/in/x/"]]
        begun = time.monotonic()
        child = subprocess.Popen(command, env={**os.environ, **self.haul_ftp(server)}, stderr=subprocess.DEVNULL)
        first, ended = None, (0, 0, None)
        while first is None and not ended[0] and time.monotonic() - begun < 60:
            first = time.monotonic() - begun if server.files() else None
            time.sleep(0.005)
            ended = os.wait4(child.pid, os.WNOHANG)
        if not ended[0]:
            time.sleep(seconds)
            os.kill(child.pid, signal.SIGINT)
            ended = os.wait4(child.pid, 0)
        child.returncode, used = 0, ended[2]
        self.rows.append(Row.alone(f"FTPS vsftpd, the first of {count} files is there (stopped after {seconds} s)", first, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
        print(self.rows[-1].line(), flush=True)

    def tus(self):
        modules = INSTALLED / "npm/node_modules"
        if not modules.exists() or not shutil.which("node"):
            raise Missing("the Node TUS server (tests/servers/install-web.sh brings it)")
        folder = Path(tempfile.mkdtemp(prefix="tus", dir=self.base))
        sh(SERVERS / "ca.sh", folder, f"IP:{self.link.address}")
        (folder / "root").mkdir()
        node = modules / "node/bin/node"
        command = [node if node.exists() else "node", SERVERS / "tusnode.mjs", modules, folder / "root", 3_600_000]
        server = Server(self.link, command, None, folder / "root", {"TLS": str(folder), "BIND": self.link.address}, tells_port=True)
        server.ca, server.url = folder / "ca.crt", f"https://{self.link.address}:{server.port}/files"
        server.origin = server.url.removesuffix("/files")
        return server

    def haul_tus(self, server):
        return self.env(provider="tus", url=server.url, ca_file=server.ca)

    def small_tus(self, server, count, before):
        files = self.folder(count)
        config = self.base / "curl.tus"
        asks = [f'silent\nshow-error\nfail\ncacert = "{server.ca}"\nurl = "{server.url}"\nrequest = POST\nheader = "Tus-Resumable: 1.0.0"\n'
                f'header = "Upload-Length: 4096"\nheader = "Content-Type: application/offset+octet-stream"\noutput = /dev/null\n'
                f'header = "Upload-Metadata: filename {base64.b64encode(file.name.encode()).decode()}"\ndata-binary = "@{file}"\n'
                for file in sorted(files.iterdir())]
        config.write_text("next\n".join(asks))
        self.pair(f"TUS https, {count} × 4 KiB{self.far()}", "curl --parallel-max 8",
                  lambda: (["curl", "--parallel", "--parallel-max", "8", "--no-progress-meter", "-K", config], None),
                  lambda: ([self.haul, "put", "-q", f"{files}/", "r:/x/"], self.haul_tus(server)),
                  before, server.empty, lambda: len(server.files()) == count)

    def large_tus(self, server):
        file = self.file(self.size["large"])
        curl = (f'set -eu; at=$(curl -sS -f -D - -o /dev/null --cacert {server.ca} -X POST {server.url} -H "Tus-Resumable: 1.0.0" '
                f'-H "Upload-Length: {file.stat().st_size}" | tr -d "\\r" | sed -n "s/^[Ll]ocation: //p"); curl -sS -f -o /dev/null --cacert {server.ca} '
                f'-X PATCH "{server.origin}$at" -H "Tus-Resumable: 1.0.0" -H "Upload-Offset: 0" -H "Expect:" '
                f'-H "Content-Type: application/offset+octet-stream" -T {file}')
        self.pair(f"TUS https, one file of {self.size['large']} MiB", "curl", lambda: (["sh", "-c", curl], None),
                  lambda: ([self.haul, "put", "-q", file, "r:/b"], self.haul_tus(server)),
                  "1.31", server.empty, lambda: same(server.files(), file))

    def giga0(self):
        """The form of giga0 at haul's own stand-in, plain, on loopback: nobody else serves it."""
        env = {**os.environ, **self.env()}
        inner = [str(self.haul), "sandbox", "--", sys.executable, str(HERE / "peers.py"), "--inside", "--mode", self.mode,
                 "--base", str(self.base), "--haul", str(self.haul)]
        done = subprocess.run(inner, env=env, stdout=subprocess.PIPE, text=True)
        for line in done.stdout.splitlines():
            if line.startswith("ROW\t"):
                self.rows.append(Row.read(line))
                print(self.rows[-1].line(), flush=True)
            elif line.startswith("MISSING\t"):
                self.missing.append(line.split("\t", 1)[1])
        if done.returncode:
            self.missing.append("rows at the sandbox of giga0: it ended early")

    def inside(self):
        """Within the sandbox, whose remotes stand in the environment."""
        url = os.environ["HAUL_REMOTE_GIGA0_URL"]
        user, password = os.environ["HAUL_REMOTE_GIGA0_USERNAME"], os.environ["HAUL_REMOTE_GIGA0_PASSWORD"]
        import json
        import urllib.parse
        import urllib.request
        self.link = LOOPBACK

        def token():
            data = urllib.parse.urlencode({"username": user, "password": password}).encode()
            with urllib.request.urlopen(f"{url}/api/v2/authorize", data, 10) as answer:
                told = json.load(answer)["data"]
            return told["access_token"], told["account_id"]

        def curl(files):
            access, account = token()
            config = self.base / "curl.form"
            asks = [f'silent\nshow-error\nfail\nurl = "{url}/api/v2/file/upload"\nform = "access_token={access}"\nform = "account_id={account}"\n'
                    f'form = "upload_file=@{file}"\noutput = /dev/null\n' for file in files]
            config.write_text("next\n".join(asks))
            return ["curl", "--parallel", "--parallel-max", "8", "--no-progress-meter", "-K", config], None

        count, file = self.size["small"], self.file(self.size["large"])
        files, target = self.folder(count), iter(range(1000))
        self.pair(f"giga0's form, stand-in, {count} × 4 KiB", "curl --parallel-max 8", lambda: curl(sorted(files.iterdir())),
                  lambda: ([self.haul, "put", "-q", f"{files}/", f"giga0:/s{next(target)}/"], self.env()), "8.7")
        self.pair(f"giga0's form, stand-in, one file of {self.size['large']} MiB", "curl", lambda: curl([file]),
                  lambda: ([self.haul, "put", "-q", file, f"giga0:/b{next(target)}"], self.env()), "1.27",
                  # All of them stay on the disk to the end.
                  rounds=min(2, self.size["rounds"]))
        for row in self.rows:
            print(row.text())
        for missing in self.missing:
            print(f"MISSING\t{missing}")

    def run(self):
        self.near(self.many_small)
        self.giga0()
        self.at_a_distance()
        self.near(self.large_and_again)

    def many_small(self):
        self.pair("start", "curl --version", lambda: (["curl", "--version"], None), lambda: ([self.haul, "--version"], None),
                  "0.55", rounds=self.size["starts"])
        for name, title, count, before in [("vsftpd", "vsftpd", self.size["small"], "1.9"), ("proftpd", "ProFTPD", self.size["pro"], "1.75")]:
            self.with_server(lambda: self.ftp(name), lambda server: self.small_ftp(server, title, count, before))
        self.with_server(self.tus, lambda server: self.small_tus(server, self.size["small"], "3.8"))

    def large_and_again(self):
        self.with_server(lambda: self.ftp("vsftpd"), lambda server: (self.large_ftp(server), self.again_ftp(server), self.walk_ftp(server)))
        self.with_server(self.tus, self.large_tus)

    def near(self, work):
        self.link = Link(self.base, 0)
        loopback = "network namespaces (they need root and ip): all is measured on loopback, where TLS is slower and wilder"
        if not self.link.is_own and loopback not in self.missing:
            self.missing.append(loopback)
        try:
            work()
        finally:
            self.link.end()

    def at_a_distance(self):
        try:
            self.link = Link(self.base, 50)
        except Missing as missing:
            return self.missing.append(str(missing))
        try:
            self.with_server(lambda: self.ftp("vsftpd"), lambda server: self.small_ftp(server, "vsftpd", self.size["far"], "1.24"))
            self.with_server(self.tus, lambda server: self.small_tus(server, self.size["far"], "2.9"))
        finally:
            self.link.end()

    def with_server(self, start, work):
        try:
            server = start()
        except (Missing, OSError, subprocess.CalledProcessError) as failure:
            print(failure, file=sys.stderr)
            return self.missing.append(str(failure) if isinstance(failure, Missing) else "rows of a server that did not start")
        try:
            work(server)
        finally:
            server.end()


class Loopback:
    client, delay_ms = [], 0


LOOPBACK = Loopback()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def same(files, source):
    return len(files) == 1 and subprocess.run(["cmp", "-s", files[0], source]).returncode == 0


def obscured():
    return subprocess.run(["rclone", "obscure", PASSWORD], capture_output=True, text=True, check=True).stdout.strip()


def main():
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("--toy", dest="mode", action="store_const", const="toy")
    asks.add_argument("--quick", dest="mode", action="store_const", const="quick")
    asks.add_argument("--mode", dest="mode", default="full", choices=SIZES)
    asks.add_argument("--haul", type=Path, required=True)
    asks.add_argument("--base", type=Path, help=argparse.SUPPRESS)
    asks.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = asks.parse_args()
    haul = asked.haul.resolve()
    if asked.inside:
        Bench(haul, asked.base, asked.mode).inside()
        return
    base = Path(tempfile.mkdtemp(prefix="haul-peers-"))
    # The servers give up root: their user must be able to walk in.
    base.chmod(0o755)
    bench = Bench(haul, base, asked.mode)
    try:
        bench.run()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    out = ROOT / ("target/peers" if asked.mode == "toy" else "docs")
    out.mkdir(parents=True, exist_ok=True)
    write_table(bench.rows, sys.stdout)
    version = subprocess.run([haul, "--version"], capture_output=True, text=True).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"
    write_page(bench.rows, bench.missing, out / "performance.md", version, machine, datetime.date.today().isoformat(), asked.mode)
    try:
        write_plot(bench.rows, out / "performance.svg")
    except ImportError:
        bench.missing.append("the plot: matplotlib is not installed")
    for missing in bench.missing:
        print(f"missing: {missing}", file=sys.stderr)
    if asked.mode == "toy" and not bench.rows:
        sys.exit("nothing could be measured")


if __name__ == "__main__":
    main()
