from tests.sandbox.hostile import Attack, body

EXPLODING = (
    "class X:\n    def __repr__(self):\n"
    "        raise SystemExit\n"
    "    __str__ = __format__ = __reduce__ = __iter__ = __len__ = __hash__ = __eq__ = __repr__\n"
)

ATTACKS = [
    Attack(
        "exploding-result",
        EXPLODING + "def attack():\n    return X()\n",
        "value",
        "<X>",
        bare=True,
        core=True,
    ),
    Attack(
        "exploding-argument", EXPLODING + "def attack():\n    act(X())\n", "TypeError", bare=True, core=True
    ),
    Attack(
        "exploding-in-list",
        EXPLODING + "def attack():\n    return [X(), {'k': X()}]\n",
        "value",
        "['<X>', {'k': '<X>'}]",
        bare=True,
    ),
    Attack(
        "exploding-key",
        EXPLODING.replace("__hash__ = ", "") + "def attack():\n    return {(1, 2): X}\n",
        "Forbidden",
        bare=True,
    ),
    Attack("cyclic", body("x = []\nx.append(x)\nreturn x"), "Forbidden", bare=True, core=True),
    Attack(
        "cyclic-dict", body("x = {}\nx['x'] = x\nact(x)"), "ProtocolError|Forbidden|ValueError", bare=True
    ),
    Attack(
        "billion-laughs",
        body("x = ['lol']\nfor _ in range(30):\n    x = [x, x]\nreturn x"),
        "Forbidden",
        bare=True,
        core=True,
    ),
    Attack("giant-text", body("return 'x' * (10 << 20)"), "Forbidden", bare=True),
    Attack(
        "giant-text-argument", body("act('x' * (10 << 20))"), "ProtocolError|Forbidden|ValueError", bare=True
    ),
    Attack("giant-list", body("return list(range(10 ** 6))"), "Forbidden", bare=True),
    Attack(
        "list-that-lies",
        "class L(list):\n    def __len__(self):\n        return 0\n"
        "    def __iter__(self):\n        while True:\n"
        "            yield 1\ndef attack():\n    return L([1])\n",
        "Forbidden|TimeLimit",
        bare=True,
    ),
    Attack(
        "dict-that-lies",
        "class D(dict):\n    def items(self):\n        while True:\n"
        "            yield 1, 2\ndef attack():\n    return D(a=1)\n",
        "value",
        "{'a': 1}",
        bare=True,
    ),
    Attack(
        "str-that-lies",
        "class S(str):\n    def __str__(self):\n"
        "        raise SystemExit\n    def isascii(self):\n"
        "        return True\n    def encode(self, *a):\n"
        "        raise SystemExit\ndef attack():\n"
        "    return S('plain')\n",
        "value",
        "plain",
        bare=True,
    ),
    Attack("surrogate", body("return '\\ud800'"), "value", "?", bare=True),
    Attack("function", body("return attack"), "value", "<function>", bare=True),
    Attack("generator", body("return (i for i in iter(int, 1))"), "value", "<generator>", bare=True),
    Attack("module", body("return sys"), "value", "<module>"),
    Attack(
        "type-name-explodes",
        "class M(type):\n    @property\n    def __name__(cls):\n"
        "        raise SystemExit\nclass X(metaclass=M):\n    pass\n"
        "def attack():\n    return X()\n",
        "SystemExit|value",
        bare=True,
    ),
    Attack("bytes", body("return b'x'"), "value", "<bytes>", bare=True),
    Attack(
        "keyword-explosion",
        body("act(**{str(i): i for i in range(10 ** 5)})"),
        "ProtocolError|Forbidden|ValueError",
        bare=True,
    ),
    Attack(
        "isinstance-lie",
        "class X:\n    __class__ = property(lambda self: str)\ndef attack():\n    return X()\n",
        "TypeError|value|Forbidden",
        bare=True,
    ),
]
