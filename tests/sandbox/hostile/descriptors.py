from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack(
        "all-closed",
        body(
            "open_ = []\nfor fd in [*range(3), *range(4, 200)]:\n"
            "    try:\n        os.read(fd, 1)\n        open_.append(fd)\n"
            "    except OSError as e:\n        if e.errno != 1:\n"
            "            open_.append([fd, e.errno])\nreturn open_"
        ),
        "value",
        "[]",
        core=True,
    ),
    Attack("write-on-stdout", body("os.write(1, b'x')"), "PermissionError", core=True),
    Attack("write-on-stderr", body("os.write(2, b'x')"), "PermissionError"),
    Attack(
        "write-on-control", body("for fd in range(4, 30):\n    os.write(fd, b'x' * 16)"), "PermissionError"
    ),
    Attack("close-channel", body("os.close(3)"), "PermissionError"),
    Attack("dup-channel", body("return os.dup(3)"), "PermissionError"),
    Attack("dup2-channel", body("os.dup2(3, 1)"), "PermissionError"),
    Attack("pipe", body("return os.pipe()"), "PermissionError"),
    Attack("eventfd", body("return os.eventfd(0)"), "PermissionError"),
    Attack(
        "pass-descriptor",
        body("s = module('socket')\ns.send_fds(s.socket(fileno=3), [b'x'], [3])"),
        "PermissionError|OSError",
    ),
    Attack("blocking-off", body("os.set_blocking(3, False)"), "PermissionError"),
    Attack("shutdown", body("module('socket').socket(fileno=3).shutdown(2)"), "PermissionError|OSError"),
    Attack("select", body("module('select').select([3], [], [], 5)"), "PermissionError"),
    Attack("epoll", body("module('select').epoll()"), "PermissionError"),
    Attack("print-to-file", body("print('x', file=open('@FOLDER@/made', 'w'))"), "PermissionError"),
    Attack(
        "input", body("return input('secret? ')"), "RuntimeError|EOFError|OSError|PermissionError", bare=True
    ),
]
