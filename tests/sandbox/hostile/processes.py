from tests.sandbox.hostile import Attack, body

DENIED = "PermissionError"

ATTACKS = [
    Attack("fork", body("return os.fork()"), DENIED, core=True),
    Attack(
        "fork-bomb",
        body("while True:\n    try:\n        os.fork()\n    except OSError:\n        pass"),
        "TimeLimit",
        core=True,
    ),
    Attack("forkpty", body("return os.forkpty()"), DENIED),
    Attack("exec", body("os.execv('/bin/sh', ['sh', '-c', 'echo x > @FOLDER@/made'])"), DENIED, core=True),
    Attack("exec-self", body("os.execv('/proc/self/exe', ['python'])"), DENIED),
    Attack("spawn", body("return os.posix_spawn('/bin/true', ['true'], {})"), DENIED),
    Attack("system", body("return os.system('echo x > @FOLDER@/made')"), "value", "32512"),
    Attack("popen", body("return os.popen('cat @SECRET@').read()"), "ModuleNotFoundError|PermissionError"),
    Attack(
        "subprocess",
        body("return module('subprocess').check_output(['cat', '@SECRET@']).decode()"),
        "ModuleNotFoundError",
    ),
    Attack(
        "fork-exec",
        body("module('_posixsubprocess')\nreturn 'imported'"),
        "ModuleNotFoundError|value",
        "imported",
    ),
    Attack("kill-host", body("os.kill(@HOST@, 9)"), DENIED, core=True),
    Attack("kill-parent", body("os.kill(os.getppid() or @PARENT@, 9)"), "PermissionError|OverflowError"),
    Attack("kill-named-parent", body("os.kill(@PARENT@, 9)"), DENIED),
    Attack("kill-all", body("os.kill(-1, 9)"), DENIED),
    Attack("killpg", body("os.killpg(0, 9)"), DENIED),
    Attack("stop-self", body("os.kill(0, 19)"), DENIED),
    Attack("pidfd", body("return os.pidfd_open(@HOST@)"), DENIED),
    Attack("setsid", body("os.setsid()"), DENIED),
    Attack("setuid", body("os.setuid(0)"), DENIED),
    Attack("nice", body("os.nice(-5)"), DENIED),
    Attack("affinity", body("os.sched_setaffinity(0, {0})"), DENIED),
    Attack("wait", body("os.wait()"), DENIED),
    Attack(
        "prlimit",
        body("module('resource').prlimit(@HOST@, 0, (1, 1))"),
        "PermissionError|ModuleNotFoundError",
    ),
    Attack(
        "setrlimit",
        body("r = module('resource')\nr.setrlimit(r.RLIMIT_AS, (-1, -1))"),
        "PermissionError|ModuleNotFoundError|ValueError",
    ),
]
