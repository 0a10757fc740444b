from tests.sandbox.hostile import Attack, body

DENIED = "PermissionError|OSError|itimer_error"

ATTACKS = [
    Attack("handler", body("module('signal').signal(14, lambda *a: None)"), DENIED, core=True),
    Attack("ignore-term", body("module('signal').signal(15, module('signal').SIG_IGN)"), DENIED),
    Attack(
        "alarm",
        body("module('signal').alarm(1)\nmodule('signal').pause()"),
        "PermissionError|Forbidden|value",
    ),
    Attack("itimer", body("module('signal').setitimer(0, 0.01, 0.01)"), DENIED),
    Attack("raise", body("module('signal').raise_signal(9)"), DENIED),
    Attack("raise-xcpu", body("module('signal').raise_signal(24)"), DENIED),
    Attack("sigmask", body("module('signal').pthread_sigmask(0, range(1, 32))"), DENIED),
    Attack("wakeup-fd", body("module('signal').set_wakeup_fd(3)"), "PermissionError|ValueError|OSError"),
    Attack(
        "pthread-kill",
        body("module('signal').pthread_kill(0, 0)"),
        "Crashed|PermissionError|ProcessLookupError",
    ),
    Attack("sigwait", body("module('signal').sigwait({2})"), DENIED),
    Attack(
        "faulthandler",
        body("module('faulthandler').dump_traceback_later(0.01)"),
        "PermissionError|RuntimeError|AttributeError|ModuleNotFoundError|OSError|UnsupportedOperation",
    ),
    Attack("timer-create", body("return libc().timer_create(0, None, None)"), "value|Crashed", "-1"),
]
