"""Tries what a box must not be able to do, and prints what succeeded as one JSON object."""

import ctypes
import errno
import json
import os
import pathlib
import signal
import socket
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def privileges():
    """Return what is wrong with the process's own status."""
    status = dict(
        line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    wrong = []
    if os.getuid() == 0:
        wrong.append("root")
    wrong += [name for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb") if int(status[name], 16)]
    if status["NoNewPrivs"].strip() != "1":
        wrong.append("new privileges possible")
    if status["Seccomp"].strip() != "2":
        wrong.append("no seccomp filter")
    return wrong


def refused(number, *arguments):
    """Return whether the system call is refused as not permitted or not there."""
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    return result == -1 and ctypes.get_errno() in {errno.EPERM, errno.ENOSYS, errno.EACCES}


def syscalls():
    """Return the names of dangerous system calls that were not refused."""
    numbers = {
        "x86_64": {
            "ptrace": 101, "mount": 165, "unshare": 272, "setns": 308, "bpf": 321, "userfaultfd": 323, "keyctl": 250,
            "add_key": 248, "process_vm_readv": 310, "perf_event_open": 298, "io_uring_setup": 425, "memfd_secret": 447,
            "kexec_load": 246, "init_module": 175, "open_by_handle_at": 304, "mq_open": 240, "pivot_root": 155,
            "quotactl": 179, "reboot": 169, "swapon": 167, "msgget": 68,
        },
        "aarch64": {
            "ptrace": 117, "mount": 40, "unshare": 97, "setns": 268, "bpf": 280, "userfaultfd": 282, "keyctl": 219,
            "add_key": 217, "process_vm_readv": 270, "perf_event_open": 241, "io_uring_setup": 425, "memfd_secret": 447,
            "kexec_load": 104, "init_module": 105, "open_by_handle_at": 265, "mq_open": 180, "pivot_root": 41,
            "quotactl": 60, "reboot": 142, "swapon": 224, "msgget": 186,
        },
    }[os.uname().machine]  # fmt: skip
    # ptrace(PTRACE_TRACEME = 0) and unshare(CLONE_NEWUSER) would succeed for anybody; the others are harmless.
    arguments = {
        "ptrace": (0, 0, 0, 0),
        "unshare": (0x10000000,),
        "userfaultfd": (1,),
        "memfd_secret": (0,),
        "msgget": (0, 0o600),
    }
    return [name for name, number in numbers.items() if not refused(number, *arguments.get(name, (0, 0, 0, 0, 0)))]


def network():
    """Return every way out of the box."""
    names = [line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]]
    ways = [f"interface {name}" for name in names if name != "lo"]
    routes = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
    ways += [f"route {line}" for line in routes if line.strip()]
    for family, name in ((16, "netlink"), (17, "packet"), (38, "alg"), (40, "vsock")):
        try:
            socket.socket(family, socket.SOCK_RAW if family != 38 else socket.SOCK_SEQPACKET).close()
            ways.append(f"{name} socket")
        except OSError:
            pass
    for address in ("172.17.0.1", "10.0.0.1"):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((address, 80)) in {0, errno.ECONNREFUSED}:
                ways.append(address)
    return ways


def write_outside():
    """Return the places outside the tmpfs that could be written."""
    wrote = []
    for folder in ("/", "/etc", "/opt/greenroom", "/usr/bin", "/var/tmp", "/run", "/sys", "/proc/sys/kernel", "/home"):
        try:
            path = pathlib.Path(folder) / "probe"
            path.write_text("x")
            wrote.append(folder)
        except OSError:
            pass
    return wrote


def fill():
    """Return how many bytes one tmpfs took."""
    taken, chunk = 0, b"x" * 65536
    try:
        with open("/work/full", "wb", buffering=0) as file:
            while taken < 256 * len(chunk) * 16:
                taken += file.write(chunk)
    except OSError:
        pass
    pathlib.Path("/work/full").unlink()
    return taken


def inodes():
    """Return how many files one tmpfs took."""
    count = 0
    try:
        while count < 100_000:
            os.close(os.open(f"/tmp/f{count}", os.O_CREAT | os.O_WRONLY))
            count += 1
    except OSError:
        pass
    return count


def processes():
    """Return how many children could be made before a refusal."""
    children = []
    try:
        while len(children) < 2000:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)


def spin():
    """Keep four processes busy; return the CPU seconds they used and the wall seconds it took."""
    started = time.monotonic()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            while time.monotonic() < started + 0.6:
                pass
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    used = os.times()
    return used.children_user + used.children_system, time.monotonic() - started


found = {"privileges": privileges(), "syscalls": syscalls(), "network": network()}
if sys.argv[1:] == ["briefly"]:
    print(json.dumps(found), flush=True)
    sys.exit()
cpu, wall = spin()
found |= {
    "wrote_root": write_outside(),
    "disk_bytes": fill(),
    "inodes": inodes(),
    "processes": processes(),
    "cpu_seconds": cpu,
    "wall_seconds": wall,
}
print(json.dumps(found), flush=True)
time.sleep(0.3)  # so that what the kernel counted can still be read
