from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("loop", body("while True:\n    pass"), "TimeLimit", bare=True, core=True),
    Attack(
        "swallowing-loop",
        body(
            "while True:\n    try:\n        while True:\n"
            "            pass\n    except BaseException:\n        pass"
        ),
        "TimeLimit",
        bare=True,
    ),
    Attack(
        "finally-loop",
        body("try:\n    act('stop')\nfinally:\n    while True:\n        pass"),
        "ended",
        bare=True,
        core=True,
    ),
    Attack("power", body("return 7 ** 7 ** 9"), "TimeLimit|MemoryLimit", bare=True, core=True),
    Attack("factorial", body("import math\nreturn math.factorial(10 ** 7)"), "TimeLimit", bare=True),
    Attack("sum", body("return sum(range(10 ** 12))"), "TimeLimit", bare=True),
    Attack(
        "sort",
        body("import random\nreturn sorted(random.random() for _ in range(10 ** 8))"),
        "TimeLimit|MemoryLimit",
        bare=True,
    ),
    Attack("generator", body("return max(i for i in iter(int, 1))"), "TimeLimit", bare=True),
    Attack("in-load", "while True:\n    pass\n", "TimeLimit", bare=True),
    Attack(
        "in-compile",
        "X = " + "+".join(["1" * 4000] * 15) + "\n" + "def attack():\n    return len(str(X))\n",
        "value",
        "4001",
        bare=True,
    ),
    Attack(
        "constant-folding",
        "def attack():\n    return ((1 << 127) ** 32 ** 2 ** 2) and 1\n",
        "value|TimeLimit|MemoryLimit|Forbidden",
        bare=True,
    ),
    Attack(
        "itertools-count", body("import itertools\nreturn sum(itertools.count())"), "TimeLimit", bare=True
    ),
    Attack("act-forever", body("while True:\n    act(1)"), "PrimitiveLimit", bare=True, core=True),
    Attack(
        "act-forever-swallowed",
        body("while True:\n    try:\n        act(1)\n    except BaseException:\n        pass"),
        "PrimitiveLimit",
        bare=True,
    ),
    Attack(
        "deque-rotate",
        body("import collections\nd = collections.deque(range(10 ** 5))\nwhile True:\n    d.rotate(99999)"),
        "TimeLimit",
        bare=True,
    ),
    Attack(
        "hash-collisions",
        body("d = {}\nM = (1 << 61) - 1\nfor i in range(10 ** 5):\n    d[i * M] = i\nreturn len(d)"),
        "TimeLimit",
        bare=True,
    ),
]
