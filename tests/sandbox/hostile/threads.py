from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("start", body("module('_thread').start_new_thread(print, ())"), "RuntimeError", core=True),
    Attack(
        "threading",
        body("module('threading').Thread(target=print).start()"),
        "RuntimeError|ModuleNotFoundError",
    ),
    Attack(
        "deadlock",
        body("lock = module('_thread').allocate_lock()\nlock.acquire()\nlock.acquire()"),
        "Crashed|Forbidden",
        core=True,
    ),
    Attack(
        "timed-lock",
        body("lock = module('_thread').allocate_lock()\nlock.acquire()\nreturn lock.acquire(True, 30)"),
        "Crashed|Forbidden",
    ),
    Attack("rlock-other", body("return module('_thread').interrupt_main()"), "KeyboardInterrupt|value"),
    Attack("event-wait", body("module('threading').Event().wait()"), "Crashed|Forbidden|ModuleNotFoundError"),
    Attack(
        "queue-get", body("module('_queue').SimpleQueue().get()"), "Crashed|Forbidden|ModuleNotFoundError"
    ),
    Attack(
        "thread-bomb",
        body(
            "while True:\n    try:\n"
            "        module('_thread').start_new_thread(print, ())\n"
            "    except RuntimeError:\n        pass"
        ),
        "TimeLimit",
    ),
    Attack(
        "pthread-create",
        body(
            "return libc().pthread_create(bytearray(8) and module('ctypes').create_string_buffer(8), "
            "None, None, None)"
        ),
        "value|Crashed",
        "1",
    ),
    Attack("asyncio", body("module('asyncio').run(None)"), "ModuleNotFoundError"),
    Attack(
        "subinterpreter",
        body("return module('_xxsubinterpreters').create()"),
        "ModuleNotFoundError|value|RuntimeError|PermissionError|Crashed",
    ),
]
