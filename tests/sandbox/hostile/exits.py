from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("sys-exit", body("sys.exit(0)"), "SystemExit", core=True),
    Attack("raise-system-exit", body("raise SystemExit(0)"), "SystemExit", bare=True),
    Attack("os-exit", body("os._exit(0)"), "Exited", core=True),
    Attack("os-exit-71", body("os._exit(71)"), "Exited"),
    Attack("os-exit-72", body("os._exit(72)"), "MemoryLimit"),
    Attack("abort", body("os.abort()"), "Crashed", core=True),
    Attack("quit", body("quit()"), "NameError", bare=True),
    Attack("keyboard-interrupt", body("raise KeyboardInterrupt"), "KeyboardInterrupt", bare=True),
    Attack("generator-exit", body("raise GeneratorExit"), "GeneratorExit", bare=True),
    Attack(
        "base-exception", "class B(BaseException):\n    pass\ndef attack():\n    raise B\n", "B", bare=True
    ),
    Attack("stop-of-ours", body("raise confined.CallStopped"), "CallStopped"),
    Attack(
        "exception-group",
        body("raise BaseExceptionGroup('x', [SystemExit(), ValueError()])"),
        "BaseExceptionGroup",
        bare=True,
    ),
    Attack(
        "atexit",
        body("module('atexit').register(os.write, 3, b'x')\nsys.exit()"),
        "SystemExit|ModuleNotFoundError",
    ),
    Attack("exit-in-load", "raise SystemExit\n", "SystemExit", bare=True),
    Attack("act-then-exit", body("act(1)\nos._exit(5)"), "Exited"),
    Attack(
        "del-exit",
        "class D:\n    def __del__(self):\n        os._exit(9)\ndef attack():\n    D()\n",
        "Exited",
    ),
]
