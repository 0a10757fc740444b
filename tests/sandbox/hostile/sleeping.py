from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("sleep", body("module('time').sleep(60)"), "PermissionError|OSError", core=True),
    Attack("read-channel", body("os.read(3, 1)"), "Forbidden", core=True),
    Attack("read-channel-forever", body("while True:\n    os.read(3, 1)"), "Forbidden"),
    Attack("act-then-read", body("act(1)\nos.read(3, 1)"), "Forbidden"),
    Attack("select", body("module('select').select([], [], [], 60)"), "PermissionError"),
    Attack("poll", body("module('select').poll().poll(60000)"), "PermissionError"),
    Attack("pause", body("libc().pause()\nreturn 'woke'"), "value", "woke"),
    Attack("usleep", body("return libc().usleep(60000000)"), "value", "-1"),
    Attack(
        "busy-clock",
        body("t = module('time')\nend = t.monotonic() + 60\nwhile t.monotonic() < end:\n    pass"),
        "TimeLimit",
    ),
    Attack("sigsuspend", body("return libc().sigpause(0)"), "value|Crashed", "-1"),
    Attack("flock", body("module('fcntl').flock(3, 2)"), "PermissionError"),
    Attack(
        "never-answering",
        body('end = b\'["do","act",[1],{},null,""]\'\nsend(end)\nos.read(3, 5000)\nos.read(3, 5000)'),
        "Forbidden",
    ),
]
