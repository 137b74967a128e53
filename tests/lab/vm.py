"""A virtual machine with ip_vs, for hosts whose kernel has none (containers, sandboxes, CI).

QEMU emulates the processor (`-accel tcg`: works everywhere, needs no rights), boots Debian's stock
kernel, mounts the host's own root directory read-only by 9p below an overlay in memory, and runs
one command there as root. What the command prints appears here while it runs; its exit code is
ours. Boots in about five seconds. The guest sees the same files as the host, so nothing is
installed or copied; whatever it writes outside the results directory is gone when it powers off.

    python3 -m tests.lab.vm run [--timeout S] [--results DIR] -- ipvsadm -Ln
    python3 -m tests.lab.vm shell          (needs a terminal)
    python3 -m tests.lab.vm prepare        (fetch the kernel, build the initramfs, stop)
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gzip
import hashlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Loaded by the guest before anything else, from the initramfs: by 9p each module costs seconds.
# The rest of the kernel's modules can be had there with modprobe. crc32c is a soft dependency of
# libcrc32c, without which neither nf_conntrack nor ip_vs loads. ip_gre and ip6_tunnel are left out:
# they would put four fallback devices into every namespace.
BOOT_MODULES = "virtio_pci 9pnet_virtio 9p overlay".split()
LAB_MODULES = """
    crc32c_generic crc32c_intel
    veth bridge macvlan dummy vrf 8021q ipip sch_netem
    nf_conntrack nf_nat nf_tables nft_ct nft_nat nft_chain_nat nft_masq nft_numgen nft_limit
    nft_compat x_tables ip_tables xt_mark xt_MARK nf_reject_ipv4 nft_reject_inet
    ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr ip_vs_dh ip_vs_sh ip_vs_sed
    ip_vs_nq ip_vs_fo ip_vs_ovf ip_vs_mh ip_vs_twos
""".split()
MODULE_OPTIONS = {"dummy": "numdummies=0"}

RESULTS_IN_GUEST = "/results"


class VmError(Exception):
    """The machine could not be prepared or did not come up; the text says what to do."""


def host_has_ipvs() -> bool:
    """Whether this kernel has ip_vs, loaded or loadable: then no machine is needed."""
    if Path("/proc/net/ip_vs").exists():
        return True
    if os.geteuid() != 0 or not shutil.which("modprobe"):
        return False
    loaded = subprocess.run(["modprobe", "-q", "ip_vs"], capture_output=True, check=False)
    return loaded.returncode == 0 and Path("/proc/net/ip_vs").exists()


def why_unavailable() -> str | None:
    """The reason why no machine can be started here, or None."""
    for program, package in {
        "qemu-system-x86_64": "qemu-system-x86",
        "busybox": "busybox-static",
        "depmod": "kmod",
        "cpio": "cpio",
        "dpkg-deb": "dpkg",
    }.items():
        if not _program(program):
            return f"{program} is not installed (Debian package {package})"
    return None


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


# --- the kernel package -------------------------------------------------------------------------


def cache_directory() -> Path:
    """Where kernel and initramfs are kept: ~/.cache/holdfast if it exists, else build/vm-cache."""
    chosen = os.environ.get("HOLDFAST_VM_CACHE")
    if chosen:
        return Path(chosen)
    shared = Path.home() / ".cache" / "holdfast"
    return shared if shared.is_dir() else ROOT / "build" / "vm-cache"


def _cached_kernel(cache: Path) -> Path | None:
    kernels = sorted(cache.glob("linux-image-*/complete"), key=lambda mark: mark.stat().st_mtime)
    return kernels[-1].parent if kernels else None


def _newest_package() -> str:
    """Name of the newest ordinary kernel package that apt knows; the cloud flavour has no 9p."""
    found = subprocess.run(
        ["apt-cache", "depends", "--important", "linux-image-amd64"],
        capture_output=True, text=True, check=False,
    ).stdout
    match = re.search(r"Depends: (linux-image-[0-9][^\s]*-amd64)\s", found)
    if not match:
        raise VmError(
            "apt knows no linux-image-amd64: run `apt-get update` (as root), then try again"
        )
    return match.group(1)


def prepare() -> tuple[Path, Path]:
    """Fetches the kernel once and builds the initramfs; returns (vmlinuz, initramfs)."""
    reason = why_unavailable()
    if reason:
        raise VmError(reason)
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may start together
        kernel = _cached_kernel(cache) or _fetch_kernel(cache)
        return kernel / "vmlinuz", _initramfs(cache, kernel)


def _fetch_kernel(cache: Path) -> Path:
    package = _newest_package()
    print(f"vm: fetching {package} (about 70 MB, once)", file=sys.stderr, flush=True)
    work = cache / "fetch"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with contextlib.suppress(PermissionError):
        work.chmod(0o777)  # apt drops to its own user for the download
    fetched = subprocess.run(
        ["apt-get", "download", package], cwd=work, capture_output=True, text=True, check=False
    )
    archives = list(work.glob("*.deb"))
    if fetched.returncode or len(archives) != 1:
        raise VmError(f"apt-get download {package} failed: {fetched.stderr.strip()}")
    unpacked = work / "unpacked"
    subprocess.run(["dpkg-deb", "-x", archives[0], unpacked], check=True)
    release = next((unpacked / "lib" / "modules").iterdir()).name
    depmod = _program("depmod")
    assert depmod
    subprocess.run([depmod, "-b", unpacked, release], check=True)
    kernel = cache / archives[0].stem
    shutil.rmtree(kernel, ignore_errors=True)
    kernel.mkdir()
    shutil.move(unpacked / "boot" / f"vmlinuz-{release}", kernel / "vmlinuz")
    shutil.move(unpacked / "lib" / "modules", kernel / "modules")
    (kernel / "release").write_text(release + "\n", encoding="ascii")
    (kernel / "complete").touch()
    shutil.rmtree(work)
    return kernel


# --- the initramfs ------------------------------------------------------------------------------

INIT = r"""#!/bin/busybox sh
/bin/busybox mkdir -p /bin /proc /sys /dev /lower /upper /new
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
fail() { echo "vm: $*" >/dev/ttyS1; sync; reboot -f; }
while read -r file options; do
  insmod "/modules/$file" $options 2>/tmp.err || grep -q 'File exists' /tmp.err || cat /tmp.err
done </modules/order
opts=trans=virtio,version=9p2000.L,msize=1048576
mount -t 9p -o $opts,cache=loose,ro root /lower || fail "cannot mount the host's root by 9p"
mount -t tmpfs -o mode=755 upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /new ||
  fail "cannot overlay the host's root"
mount -t proc proc /new/proc
mount -t sysfs sys /new/sys
mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm /new/results /new/lib/modules
mount -t devpts devpts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
mount -t tmpfs -o mode=1777 tmp /new/tmp
mount -t tmpfs -o mode=755 run /new/run
mount -t 9p -o $opts,cache=none results /new/results || fail "cannot mount the results share"
. /new/results/.vm/environment
# A checkout below a directory that we have just covered is put back where it was.
for path in "$VM_ROOT" "$VM_KERNEL"; do
  case "$path" in
    /tmp/*|/run/*) mkdir -p "/new$path"; mount --bind "/lower$path" "/new$path" ;;
  esac
done
mount --bind "/lower$VM_KERNEL/modules" /new/lib/modules 2>/dev/null
exec switch_root /new /bin/bash /results/.vm/init
"""

# Runs as process 1 of the guest after switch_root, or hands that place on to systemd, which runs
# GUEST_RUN as its default unit: basic.target and nothing that the host has enabled beyond it.
GUEST_INIT = r"""
. /results/.vm/environment
[ "$VM_INIT" = systemd ] || exec /bin/bash /results/.vm/run
mkdir -p /run/systemd/system
for unit in systemd-udev-trigger systemd-timesyncd systemd-pstore systemd-remount-fs; do
  ln -s /dev/null "/run/systemd/system/$unit.service"
done
: >/etc/fstab
cat >/run/systemd/system/vm-command.service <<END
[Service]
Type=oneshot
ExecStart=/bin/bash /results/.vm/run
END
exec /lib/systemd/systemd --unit=vm-command.service
"""

# Output goes to the second serial line, which carries nothing else: the first one mixes in kernel
# messages.
GUEST_RUN = r"""
. /results/.vm/environment
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=${VM_TERM:-dumb} LANG=C.UTF-8 HOLDFAST_IN_VM=1 PYTHONDONTWRITEBYTECODE=1
hostname holdfast-vm
ip link set lo up
mkdir -p /run/netns /run/lock
stty -F /dev/ttyS1 raw -echo 2>/dev/null
[ -n "$VM_TERM" ] && stty -F /dev/ttyS1 sane rows "$VM_ROWS" cols "$VM_COLUMNS"
cd "$VM_ROOT"
setsid --ctty --wait bash /results/.vm/command </dev/ttyS1 >/dev/ttyS1 2>&1
echo $? >/results/.vm/code
sync
reboot -f
"""


def _initramfs(cache: Path, kernel: Path) -> Path:
    """Builds (once per content) the archive that holds busybox and the modules."""
    busybox = _program("busybox")
    assert busybox
    recipe = " ".join([INIT, *BOOT_MODULES, *LAB_MODULES, str(MODULE_OPTIONS), kernel.name])
    image = cache / f"initramfs-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.gz"
    if image.exists():
        return image
    for old in cache.glob("initramfs-*"):
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    tree = cache / "initramfs-tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "modules").mkdir()
    shutil.copy(busybox, tree / "bin" / "busybox")
    (tree / "init").write_text(INIT, encoding="utf-8")
    (tree / "init").chmod(0o755)
    release = (kernel / "release").read_text(encoding="ascii").strip()
    order = []
    for path in _in_load_order(kernel / "modules" / release, BOOT_MODULES + LAB_MODULES):
        shutil.copy(path, tree / "modules" / path.name)
        order.append(f"{path.name} {MODULE_OPTIONS.get(path.stem, '')}".rstrip())
    (tree / "modules" / "order").write_text("\n".join(order) + "\n", encoding="ascii")
    names = "\n".join(
        str(path.relative_to(tree)) for path in sorted([tree, *tree.rglob("*")]) if path != tree
    )
    archive = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"],
        cwd=tree, input=names.encode(), capture_output=True, check=True,
    ).stdout
    shutil.rmtree(tree)
    unfinished = image.with_suffix(".part")
    unfinished.write_bytes(gzip.compress(archive, compresslevel=1))
    unfinished.rename(image)
    return image


def _in_load_order(modules: Path, wanted: list[str]) -> list[Path]:
    """Files of the wanted modules and of all they need, dependencies first."""
    needs: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text(encoding="ascii").splitlines():
        name, _, dependencies = line.partition(":")
        needs[name] = dependencies.split()
    by_name = {Path(path).name.split(".ko")[0].replace("-", "_"): path for path in needs}
    builtin = (modules / "modules.builtin").read_text(encoding="ascii")
    order: list[str] = []

    def add(path: str) -> None:
        if path in order:
            return
        for dependency in needs[path]:
            add(dependency)
        order.append(path)

    for name in wanted:
        if name in by_name:
            add(by_name[name])
        elif f"/{name}.ko" not in builtin and name in BOOT_MODULES:
            raise VmError(f"kernel module {name} is not in {modules}")
    return [modules / path for path in order]


# --- running ------------------------------------------------------------------------------------


def run(
    command: list[str],
    *,
    results: Path,
    timeout: float = 900,
    environment: dict[str, str] | None = None,
    output=None,
    interactive: bool = False,
    init: str = "shell",
) -> int:
    """Runs `command` (as root, in the checkout) inside a fresh machine; returns its exit code.

    `init` is its process 1: "shell" does nothing but run the command, "systemd" is the host's.

    `results` is a directory of the host, writable at /results in the guest. `output` is a binary
    stream for what the command prints (default: our standard output). Raises VmError when the
    machine does not come up or `timeout` seconds pass.
    """
    vmlinuz, initramfs = prepare()
    results = results.resolve()
    private = results / ".vm"
    private.mkdir(parents=True, exist_ok=True)
    (private / "code").unlink(missing_ok=True)
    settings = {"VM_ROOT": str(ROOT), "VM_KERNEL": str(vmlinuz.parent.resolve()),
                "VM_INIT": init}
    if interactive:
        size = shutil.get_terminal_size()
        settings |= {
            "VM_TERM": os.environ.get("TERM", "vt100"),
            "VM_ROWS": str(size.lines),
            "VM_COLUMNS": str(size.columns),
        }
    (private / "environment").write_text(
        "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()),
        encoding="utf-8",
    )
    (private / "init").write_text(GUEST_INIT, encoding="utf-8")
    (private / "run").write_text(GUEST_RUN, encoding="utf-8")
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in (environment or {}).items()
    )
    (private / "command").write_text(f"{exports}exec {shlex.join(command)}\n", encoding="utf-8")

    qemu = _program("qemu-system-x86_64")
    assert qemu
    arguments = [
        qemu, "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2", "-m", "2G",
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-kernel", str(vmlinuz), "-initrd", str(initramfs),
        "-append", "console=ttyS0 quiet mitigations=off panic=-1 net.ifnames=0 nokaslr"
                   " random.trust_cpu=on rcupdate.rcu_expedited=1 rdinit=/init",
        "-serial", f"file:{private / 'console.log'}",
        "-chardev", "stdio,id=out,signal=" + ("off" if interactive else "on"),
        "-serial", "chardev:out",
        "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
        "-virtfs", f"local,path={results},mount_tag=results,security_model=none,multidevs=remap",
    ]
    sink = output or sys.stdout.buffer
    started = time.monotonic()
    with subprocess.Popen(
        arguments,
        stdin=None if interactive else subprocess.DEVNULL,
        stdout=None if interactive else subprocess.PIPE,
        stderr=subprocess.STDOUT if not interactive else None,
        start_new_session=not interactive,
    ) as process:
        try:
            _relay(process, sink, None if interactive else started + timeout)
        except VmError:
            process.kill()
            raise
        except BaseException:  # interrupted: leave no machine behind
            process.send_signal(signal.SIGKILL)
            raise
    code = private / "code"
    if not code.exists():
        tail = (private / "console.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise VmError(f"the machine went down before the command ended; its console said:\n{tail}")
    return int(code.read_text(encoding="ascii"))


def _relay(process: subprocess.Popen, sink, deadline: float | None) -> None:
    """Copies the guest's output until the machine ends, or fails at the deadline."""
    if deadline is None:
        process.wait()
        return
    assert process.stdout
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise VmError("time-out: the command in the virtual machine did not end")
        if not select.select([descriptor], [], [], min(left, 1.0))[0]:
            continue
        chunk = os.read(descriptor, 65536)
        if not chunk:
            process.wait()
            return
        sink.write(chunk)
        sink.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab.vm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("prepare", help="fetch the kernel and build the initramfs")
    verbs.add_parser("shell", help="an interactive shell in the machine")
    runner = verbs.add_parser("run", help="run a command in the machine")
    runner.add_argument("--timeout", type=float, default=900)
    runner.add_argument("--results", type=Path, default=ROOT / "build" / "vm-results")
    runner.add_argument("--systemd", action="store_true", help="as its process 1")
    runner.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        if options.verb == "prepare":
            print(*prepare())
            return 0
        if options.verb == "shell":
            results = ROOT / "build" / "vm-results"
            return run(["bash", "-l"], results=results, interactive=True)
        command = options.command[1:] if options.command[:1] == ["--"] else options.command
        return run(command, results=options.results, timeout=options.timeout,
                   init="systemd" if options.systemd else "shell")
    except VmError as error:
        print(f"vm: {error}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
