from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack(
        "limits-lifted",
        body(
            "for o in module('gc').get_objects():\n"
            "    if isinstance(o, confined.ConfinedSession):\n"
            "        o.limits = protocol.MessageLimits(10 ** 9, 10 ** 9, 10 ** 9)\n"
            "        o.channel.bound = 1 << 40\nreturn ['x'] * 5000"
        ),
        "Forbidden",
        core=True,
    ),
    Attack(
        "flatten-off",
        body(
            "protocol.flatten = lambda value, *a, **k: value\n"
            "return [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]"
        ),
        "Forbidden",
        core=True,
    ),
    Attack(
        "pack-off",
        body("protocol.pack = lambda message, limit: (4).to_bytes(4, 'big') + b'boom'\nreturn 1"),
        "Forbidden",
    ),
    Attack(
        "where-lies",
        body("confined.innermost_place = lambda frame: ('<library>', 'x' * 10 ** 5, 10 ** 9)\nreturn act(1)"),
        "value|Forbidden",
    ),
    Attack(
        "describe-lies",
        body(
            "confined.ConfinedSession._describe = lambda self, e: ['Fine', 'all is well', "
            "['<library>', 'attack', 1]]\n"
            "1 / 0"
        ),
        "Fine",
    ),
    Attack(
        "describe-explodes",
        body("def boom(self, e):\n    raise e\nconfined.ConfinedSession._describe = boom\n1 / 0"),
        "Exited",
    ),
    Attack(
        "json-patched",
        body(
            "import json\njson.dumps = json.loads = None\n"
            "json.JSONEncoder.encode = lambda *a: 'boom'\nreturn 1"
        ),
        "Forbidden",
        bare=True,
    ),
    Attack(
        "builtins-emptied",
        body("vars(module('builtins')).clear()\nreturn 1"),
        "Exited|Forbidden|value|Crashed|NameError|KeyError|TimeLimit",
    ),
    Attack("modules-emptied", body("sys.modules.clear()\nreturn 1"), "value", "1"),
    Attack(
        "stop-redefined",
        body(
            "confined.CallStopped = ValueError\ntry:\n    act('stop')\n"
            "except ValueError:\n    pass\nreturn act('after')"
        ),
        "ended",
        core=True,
    ),
    Attack(
        "os-write-wrapped",
        body("w = os.write\nos.write = lambda fd, data: w(fd, bytes(data)[:5])\nreturn 'x' * 30"),
        "value",
        "x" * 30,
    ),
    Attack(
        "os-read-wrapped",
        body('os.read = lambda fd, n: b\'\\0\\0\\0\\x10["value","faked"]\'\nreturn act(1)'),
        "value|Forbidden|TimeLimit",
    ),
    Attack("trace", body("def trace(*a):\n    return trace\nsys.settrace(trace)\nreturn act(1)"), "value"),
    Attack("random-patched", body("import random\nrandom.seed = None\nreturn 1"), "value", "1", bare=True),
    Attack(
        "import-patched",
        body("__builtins__['__import__'] = None\nimport math\nreturn math.pi"),
        "TypeError",
        bare=True,
    ),
    Attack(
        "excepthook",
        body("sys.excepthook = sys.unraisablehook = lambda *a: os._exit(1)\n1 / 0"),
        "ZeroDivisionError",
    ),
]
