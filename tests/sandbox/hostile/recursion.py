from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("function", "def attack():\n    return attack()\n", "RecursionError", bare=True, core=True),
    Attack(
        "lifted-limit",
        "def attack():\n    sys.setrecursionlimit(10 ** 9)\n"
        "    def f():\n        return f()\n    return f()\n",
        "MemoryLimit|Crashed|TimeLimit",
        core=True,
    ),
    Attack(
        "lifted-limit-c",
        "class A:\n    def __repr__(self):\n"
        "        return repr([self])\ndef attack():\n"
        "    sys.setrecursionlimit(10 ** 9)\n    return repr(A())\n",
        "Crashed|MemoryLimit|RecursionError",
    ),
    Attack(
        "swallowed",
        body("def f():\n    try:\n        f()\n    finally:\n        f()\nf()"),
        "TimeLimit|RecursionError",
        bare=True,
    ),
    Attack(
        "getattr",
        "class A:\n    def __getattr__(self, name):\n"
        "        return getattr(self, name + 'x')\ndef attack():\n"
        "    return A().a\n",
        "RecursionError",
        bare=True,
    ),
    Attack(
        "property",
        "class A:\n    @property\n    def a(self):\n        return self.a\ndef attack():\n    return A().a\n",
        "RecursionError",
        bare=True,
    ),
    Attack(
        "nested-lists",
        body("x = []\nfor _ in range(10 ** 5):\n    x = [x]\nreturn x"),
        "Forbidden",
        bare=True,
        core=True,
    ),
    Attack(
        "nested-list-freed",
        body("x = []\nfor _ in range(10 ** 5):\n    x = [x]\ndel x\nreturn 1"),
        "value",
        "1",
        bare=True,
    ),
    Attack(
        "nested-repr",
        body("x = []\nfor _ in range(10 ** 5):\n    x = [x]\nreturn len(repr(x))"),
        "RecursionError",
        bare=True,
    ),
    Attack(
        "json-dumps",
        body("import json\nx = []\nfor _ in range(10 ** 5):\n    x = [x]\nreturn len(json.dumps(x))"),
        "RecursionError",
        bare=True,
    ),
    Attack(
        "deep-copy",
        body("import copy\nx = []\nfor _ in range(10 ** 5):\n    x = [x]\nreturn copy.deepcopy(x)"),
        "RecursionError",
        bare=True,
    ),
    Attack(
        "nested-filter",
        body(
            "i = filter(bool, range(10))\nfor _ in range(10 ** 6):\n    i = filter(bool, i)\nreturn list(i)"
        ),
        "Crashed|RecursionError|TimeLimit",
        bare=True,
    ),
]
