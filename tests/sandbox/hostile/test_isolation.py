"""From inside a box there is nothing to see, nobody to reach and nothing to become.

One submission looks at everything; each finding is a visible check of its own, so that a failure says what was seen.
"""

from __future__ import annotations

import pytest

from sandbox.outcome import Ended, Outcome
from tests.sandbox.hostile.conftest import Range
from tests.sandbox.hostile.suites import CANARY, accepted, add_job, passed, probe_job

LOOK = r'''
import ctypes, errno, glob, os, pathlib, re, socket, stat
_libc = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {
    "ptrace": (101, 117), "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268),
    "pivot_root": (155, 41), "keyctl": (250, 219), "add_key": (248, 217), "io_uring_setup": (425, 425),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "process_vm_readv": (310, 270),
    "open_by_handle_at": (304, 265), "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "chroot": (161, 51), "mknod_device": (259, 33),
    "pidfd_getfd": (438, 438),
    "init_module": (175, 105), "kcmp": (312, 272), "clone3_namespaces": (435, 435),
}

def syscall(name, *args):
    number = _NUMBERS[name][os.uname().machine != "x86_64"]
    ctypes.set_errno(0)
    result = _libc.syscall(number, *args)
    return errno.errorcode.get(ctypes.get_errno(), "none") if result == -1 else "allowed"

def interfaces():
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]
    return [line.split(":")[0].strip() for line in lines]

def routes():
    lines = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
    lines += [l for l in pathlib.Path("/proc/net/ipv6_route").read_text().splitlines() if not l.split()[-1] == "lo"]
    return lines

def reach(address, port):
    with socket.socket() as probe:
        probe.settimeout(2)
        try:
            probe.connect((address, port))
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
    return "reached"

def resolve(name):
    try:
        return socket.gethostbyname(name)
    except OSError:
        return "unknown"

def listening():
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        found += [l.split()[1] for l in pathlib.Path("/proc/net/" + name).read_text().splitlines()[1:]]
    return found

def abstract_sockets():
    lines = pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
    # The far end of the box's own line keeps the name of the door it came through, which is gone.
    return [l for l in lines if ("@" in l or "/" in l) and not re.search(r" /proc/self/fd/\d+/door$", l)]

def family(number, kind):
    try:
        socket.socket(number, kind).close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "allowed"

def exists(path):
    return os.path.lexists(path)

def writable():
    found = set()
    for folder, folders, _ in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/proc", "/sys")]
        if os.access(folder, os.W_OK):
            found.add(folder)
            folders[:] = []
    return sorted(found)

def write_proc():
    found = []
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/cgroup.procs",
                 "/proc/sys/vm/overcommit_memory", "/proc/1/mem"):
        try:
            with open(path, "r+b", buffering=0) as file:
                if path.endswith("mem"):
                    continue
                file.write(b"0")
            found.append(path)
        except OSError:
            pass
    return found

def set_uid_files():
    found = []
    for folder, folders, files in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/proc", "/sys")]
        for name in files:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            if stat.S_ISREG(mode) and mode & 0o6000:
                found.append(name)
    return found

def devices():
    return sorted(n for n in os.listdir("/dev") if stat.S_ISBLK(os.lstat("/dev/" + n).st_mode))

def identity():
    status = dict(l.split(":\t", 1) for l in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in l)
    caps = [int(status[n], 16) for n in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    return [os.getuid() != 0, os.getgid() != 0, sum(caps), status["NoNewPrivs"].strip(), status["Seccomp"].strip(),
            sorted(set(os.getgroups()) - {os.getgid()})]

def become(uid):
    found = []
    for name in ("setuid", "setgid", "setreuid", "setgroups"):
        try:
            arguments = ([0],) if name == "setgroups" else (0, 0) if name == "setreuid" else (0,)
            getattr(os, name)(*arguments)
            found.append(name)
        except OSError:
            pass
    return found

def processes():
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        found.append(pathlib.Path(path).read_bytes().replace(b"\0", b" ").decode().split(" ")[0].rsplit("/")[-1])
    return sorted(found)

def environment():
    names = set(os.environ)
    for path in glob.glob("/proc/[0-9]*/environ"):
        names |= {part.split(b"=")[0].decode() for part in pathlib.Path(path).read_bytes().split(b"\0") if part}
    return sorted(names)

def mounts():
    return [l.split()[1] for l in pathlib.Path("/proc/self/mounts").read_text().splitlines()
            if l.split()[2] not in ("tmpfs", "proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2", "overlay")]

def search(text):
    """Return the files of the box, memory of its processes included, that hold `text` (given backwards)."""
    wanted, found = text[::-1].encode(), []
    for folder, folders, files in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/proc", "/sys", "/usr/lib")]
        for name in files:
            path = os.path.join(folder, name)
            try:
                if stat.S_ISREG(os.stat(path).st_mode) and wanted in pathlib.Path(path).read_bytes():
                    found.append(path)
            except OSError:
                pass
    return found

def modules(name):
    try:
        __import__(name)
    except ImportError:
        return "absent"
    return "there"

def run(program):
    import shutil
    return shutil.which(program)

def beside():
    names = [name for _, folders, files in os.walk("/work") for name in folders + files]
    return [name for name in names if name != "src" and "pyc" not in name]

def executable_tmp():
    path = pathlib.Path("/tmp/program")
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o700)
    try:
        os.execv(str(path), [str(path)])
    except OSError as error:
        return errno.errorcode[error.errno]

def kill_init():
    import signal
    os.kill(1, signal.SIGKILL)
    return os.path.exists("/proc/1")

def namespace_of_init():
    try:
        return [os.readlink("/proc/self/ns/" + n) == os.readlink("/proc/1/ns/" + n) for n in ("net", "pid", "mnt")]
    except OSError:
        return [True] * 3
'''
REFUSED = "in ('EPERM', 'ENOSYS', 'EACCES')"
CLAIMS = {
    "only_loopback": "solution.interfaces() == ['lo']",
    "no_route": "solution.routes() == []",
    "nothing_listens": "solution.listening() == []",
    "no_socket_of_the_host": "solution.abstract_sockets() == []",
    "the_bridge_is_out_of_reach": "solution.reach('172.17.0.1', 80) == 'ENETUNREACH'",
    "the_site_is_not_on_loopback": "solution.reach('127.0.0.1', 8000) == 'ECONNREFUSED'",
    "the_engine_is_not_on_loopback": "solution.reach('127.0.0.1', 2375) == 'ECONNREFUSED'",
    "no_name_resolves": "solution.resolve('judge') == 'unknown'",
    "netlink_is_refused": "solution.family(16, 3) != 'allowed'",
    "packets_are_refused": "solution.family(17, 3) != 'allowed'",
    "raw_sockets_are_refused": "solution.family(2, 3) != 'allowed'",
    "vsock_is_refused": "solution.family(40, 1) != 'allowed'",
    "no_engine_socket": "not any(solution.exists(p) for p in ('/var/run/docker.sock', '/run/containerd'))",
    "no_host_files": "not any(solution.exists(p) for p in ('/host', '/rootfs', '/var/lib/docker', '/etc/docker'))",
    "no_judge_files": "not any(solution.exists(p) for p in ('/opt/greenroom/sandbox', '/work/suite'))",
    "no_service_socket": "not solution.exists('/run/greenroom')",
    "only_memory_is_writable": "solution.writable() == ['/dev/mqueue', '/dev/shm', '/tmp', '/work']",
    "kernel_settings_are_read_only": "solution.write_proc() == []",
    "no_set_uid_file": "solution.set_uid_files() == []",
    "no_block_device": "solution.devices() == []",
    "no_privilege": "solution.identity() == [True, True, 0, '1', '2', []]",
    "nobody_else_to_become": "solution.become(0) == []",
    "no_process_of_others": "set(solution.processes()) <= {'docker-init', 'init', 'python3'}",
    "own_namespaces": "solution.namespace_of_init() == [True, True, True]",
    "init_survives": "solution.kill_init() is True",
    "no_secret_in_the_environment": (
        "set(solution.environment()) <= {'PATH', 'HOME', 'HOSTNAME', 'LANG', 'PYTHONDONTWRITEBYTECODE',"
        " 'PYTHONNOUSERSITE', 'PYTHONUNBUFFERED', 'PYTHONUTF8'}"
    ),
    "no_mount_of_the_host": (
        "{m.replace('/usr', '') for m in solution.mounts()}"
        " <= {'/etc/resolv.conf', '/etc/hostname', '/etc/hosts', '/sbin/docker-init', '/run/door'}"
    ),
    "no_hidden_test_in_a_file": f"solution.search({CANARY[::-1]!r}) == []",
    "nothing_beside_the_submission": "solution.beside() == ['solution.py']",
    "no_test_framework": "[solution.modules(m) for m in ('pytest', 'sandbox', 'httpx')] == ['absent'] * 3",
    "no_compiler_or_installer": "[solution.run(p) for p in ('gcc', 'pip', 'sudo', 'su', 'curl')][:3] == [None] * 3",
    "nothing_executable_can_be_written": "solution.executable_tmp() == 'EACCES'",
} | {
    f"{name}_is_refused": f"solution.syscall('{name}', {arguments}) {REFUSED}"
    for name, arguments in {
        "ptrace": "0, 0, 0, 0",
        "mount": "0, 0, 0, 0, 0",
        "umount2": "0, 0",
        "unshare": "0x10000000",
        "setns": "0, 0",
        "pivot_root": "0, 0",
        "keyctl": "0, 0, 0, 0, 0",
        "add_key": "0, 0, 0, 0, 0",
        "io_uring_setup": "1, 0",
        "bpf": "0, 0, 0",
        "userfaultfd": "1",
        "perf_event_open": "0, 0, 0, 0, 0",
        "process_vm_readv": "1, 0, 0, 0, 0, 0",
        "open_by_handle_at": "0, 0, 0",
        "memfd_secret": "0",
        "shmget": "0, 4096, 0o1600",
        "semget": "0, 1, 0o1600",
        "msgget": "0, 0o1600",
        "mq_open": "0, 0, 0, 0",
        "chroot": "0",
        "mknod_device": "0, 0, 0o60600, 0x800",
        "pidfd_getfd": "0, 0, 0",
        "init_module": "0, 0, 0",
        "kcmp": "1, 1, 0, 0, 0",
        "clone3_namespaces": "0, 0",
    }.items()
}


@pytest.fixture(scope="module")
def sight(shooting_range: Range) -> Outcome:
    """What a submission saw that looked at everything; a hidden check with the canary runs beside it."""
    job = probe_job(LOOK, CLAIMS)
    hidden = f"def test_hidden_one(solution):\n    assert solution.add('{CANARY}', '') == '{CANARY}'\n"
    return shooting_range.run(add_job(
        job.files["solution.py"],
        suite={**job.suite, "tests/hidden/test_hidden.py": hidden},
        checks=(*job.checks, add_job("").checks[1].__class__(id="hidden", test="test_hidden_one")),
    ))  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS)
def test_from_inside_a_box(sight: Outcome, claim: str) -> None:
    told = {check.id: check for check in sight.checks}
    assert sight.ended is Ended.COMPLETED, sight
    assert told[claim].message == ""
    assert told[claim].passed


def test_the_one_that_looked_at_everything_was_judged_all_the_same(sight: Outcome) -> None:
    assert "hidden" in passed(sight)


def test_a_submission_that_shadows_the_standard_library_harms_only_itself(hostile: Range) -> None:
    files = {
        "solution.py": "def add(a, b):\n    return 0\n",
        "json.py": "def dumps(*a, **k): return '{\"passed\": true}'\ndef loads(*a): return {}\n",
        "os.py": "",
        "box.py": "raise SystemExit(0)\n",
        "sitecustomize.py": "raise SystemExit(0)\n",
        "tests/hidden/test_hidden.py": "def test_text(): pass\n",
        "conftest.py": "import os; os._exit(0)\n",
    }
    job = add_job("", files=files)
    outcome = hostile.run(job)
    assert outcome.ended is Ended.COMPLETED
    assert passed(outcome) == set()
    assert not accepted(outcome, job)
