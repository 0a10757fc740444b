from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack(
        name,
        body(f"return open('{path}', 'rb').read(200).decode('latin-1')"),
        "PermissionError",
        core=name in ("environ-of-host", "own-memory"),
    )
    for name, path in {
        "environ-of-host": "/proc/@HOST@/environ",
        "memory-of-host": "/proc/@HOST@/mem",
        "descriptors-of-host": "/proc/@HOST@/fd/0",
        "environ-of-parent": "/proc/@PARENT@/environ",
        "own-memory": "/proc/self/mem",
        "own-maps": "/proc/self/maps",
        "own-environ": "/proc/self/environ",
        "root-of-host": "/proc/@HOST@/root@SECRET@",
        "sysrq": "/proc/sysrq-trigger",
        "kernel-memory": "/dev/kmem",
        "terminal": "/dev/tty",
        "passwords": "/etc/shadow",
        "cgroup": "/sys/fs/cgroup/cgroup.procs",
        "token": "/var/run/secrets/kubernetes.io/serviceaccount/token",
    }.items()
]
