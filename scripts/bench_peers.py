"""The peers of scripts/bench: haproxy and nginx stream of one release of Debian or of several.

A release that is not this machine's runs in a chroot, which scripts/on makes and enters: with the
network, the processes and the CPUs of whoever starts it, but with the programs of that release.
"""
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

from bench_proxy import Proxy

ROOT = Path(__file__).resolve().parent.parent
# As --peers and the tables name them: as scripts/on does.
RELEASES = {"debian12": "bookworm", "debian13": "trixie", "sid": "sid"}
PACKAGES = ("haproxy", "nginx", "libnginx-mod-stream")
STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def is_of_this_machine(name):
    return f"VERSION_CODENAME={RELEASES[name]}\n" in Path("/etc/os-release").read_text()


def install(names):
    """Makes the chroots and installs the peers in them; scripts/on says what it cannot."""
    for name in names:
        if not is_of_this_machine(name):
            subprocess.run([ROOT / "scripts" / "on", RELEASES[name], "scripts/install", "bench"],
                           check=False)


class MissingRelease(Exception):
    """What a release lacks to be measured."""


class Release:
    """Where the peers of a release are, and which versions they have."""

    def __init__(self, name):
        self.name = name
        self.prefix, self.build, self.build_there = [], None, None
        if not is_of_this_machine(name):
            self.prefix = [ROOT / "scripts" / "on", "--beside", RELEASES[name]]
            # The one folder that is seen from both sides.
            self.build = ROOT / "build" / f"on-{RELEASES[name]}"
            self.build_there = Path("/penstock/build")
        self.packages = self.installed_packages()
        lacking = [package for package in PACKAGES if package not in self.packages]
        if lacking:
            raise MissingRelease(f"it lacks the packages {', '.join(lacking)}")
        self._holder = tempfile.TemporaryDirectory(prefix="bench-", dir=self.build)
        self.folder = Path(self._holder.name)

    def installed_packages(self):
        done = subprocess.run([*self.prefix, "dpkg-query", "-W", "-f", "${Package} ${Version}\n"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            reason = (done.stderr.strip() or "dpkg-query failed").splitlines()[-1]
            raise MissingRelease(reason.removeprefix("skipped: "))
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def short_version(self, package):
        return re.match(r"\d+\.\d+", self.packages[package]).group()

    def path(self, file):
        """How its programs call a file of `folder`."""
        return self.build_there / file.relative_to(self.build) if self.build else file

    def __str__(self):
        listed = "".join(f"{package} {self.packages[package]}\n" for package in
                         sorted(self.packages))
        digest = hashlib.sha256(listed.encode()).hexdigest()[:12]
        return (f"{self.name}: haproxy {self.packages['haproxy']}, nginx {self.packages['nginx']}, "
                f"packages {digest}")


def find_releases(names):
    """Those that can run; of the others it says that they are left out, and why."""
    found = []
    for name in names:
        try:
            found.append(Release(name))
        except MissingRelease as error:
            print(f"== left out are haproxy and nginx of {name}: {error} "
                  f"(scripts/on {RELEASES[name]} scripts/install bench)", flush=True)
    if not found:
        raise SystemExit("bench: no release is left that penstock could be measured beside")
    return found


class Haproxy(Proxy):
    def __init__(self, name, number, release, splice=(), tune=""):
        super().__init__(name, number, release.folder)
        self.release, self.splice, self.tune = release, splice, tune

    def command(self):
        option = "".join(f"  option splice-{which}\n" for which in self.splice)
        listens = "".join(
            f"listen l{port}\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{origin}\n"
            for port, origin in self.routes())
        tune = f"  {self.tune}\n" if self.tune else ""
        text = (f"global\n  nbthread 1\n  maxconn 6000\n{tune}defaults\n  mode tcp\n{option}"
                "  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n" + listens)
        return [*self.release.prefix, "haproxy", "-db", "-f", self.release.path(self.write(text))]


class Nginx(Proxy):
    def __init__(self, name, number, release, buffer):
        super().__init__(name, number, release.folder)
        self.release, self.buffer = release, buffer

    def command(self):
        servers = "".join(
            f"  server {{ listen 127.0.0.1:{port} backlog=4096; proxy_pass 127.0.0.1:{origin};\n"
            f"    proxy_buffer_size {self.buffer}; proxy_half_close on; }}\n"
            for port, origin in self.routes())
        own = self.release.path(self.folder / str(self.port))
        text = (f"load_module {STREAM_MODULE};\nworker_processes 1;\ndaemon off;\nuser root;\n"
                f"worker_rlimit_nofile 19000;\n"
                f"pid {own}.pid;\nerror_log {own}.err;\n"
                f"events {{ worker_connections 18000; }}\nstream {{\n{servers}}}\n")
        return [*self.release.prefix, "nginx", "-c", self.release.path(self.write(text))]


def makers_of(release):
    haproxy = f"haproxy {release.short_version('haproxy')}"
    nginx = f"nginx {release.short_version('nginx')}"
    always = ("request", "response")  # splice-auto of haproxy 2.6 does not splice these streams
    return [
        (Haproxy, haproxy, {}),
        (Haproxy, f"{haproxy} buffers 256k", {"tune": "tune.bufsize 262144"}),
        (Haproxy, f"{haproxy} splice-auto", {"splice": ("auto",)}),
        (Haproxy, f"{haproxy} splice", {"splice": always}),
        (Haproxy, f"{haproxy} splice 1M", {"splice": always, "tune": "tune.pipesize 1048576"}),
        (Nginx, f"{nginx} 16k", {"buffer": "16k"}),
        (Nginx, f"{nginx} 256k", {"buffer": "256k"}),
    ]


def proxies_of(releases, first_number):
    """Each release's haproxy and nginx in each tuning, on ports from that number on."""
    proxies = []
    for release in releases:
        for maker, name, extra in makers_of(release):
            if any(proxy.name == name for proxy in proxies):
                raise SystemExit(f"bench: two of these releases have {name}: ask for one of them")
            proxies.append(maker(name, first_number + len(proxies), release, **extra))
    return proxies
