from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("endless", body("while True:\n    print('spam')"), "TimeLimit", bare=True, core=True),
    Attack("one-giant-line", body("print('x' * (64 << 20))"), "value", bare=True, core=True),
    Attack(
        "huge-repr",
        "class A:\n    def __str__(self):\n        return 'y' * (64 << 20)\ndef attack():\n    print(A())\n",
        "value",
        bare=True,
    ),
    Attack("escape-codes", body("print('\\x1b[2J\\x1b]0;owned\\x07', end='\\0')"), "value", bare=True),
    Attack("surrogates", body("print('\\ud800' * 100)"), "value", bare=True),
    Attack("through-error", body("raise ValueError('z' * (64 << 20))"), "ValueError", bare=True, core=True),
    Attack("error-with-surrogates", body("raise ValueError('\\ud800\\x1b')"), "ValueError", bare=True),
    Attack(
        "exploding-str",
        "class E(Exception):\n    def __str__(self):\n        raise SystemExit\ndef attack():\n    raise E\n",
        "E",
        bare=True,
    ),
    Attack(
        "endless-str",
        "class E(Exception):\n    def __str__(self):\n"
        "        while True:\n            pass\ndef attack():\n"
        "    raise E\n",
        "TimeLimit",
        bare=True,
    ),
    Attack(
        "str-no-str",
        "class E(Exception):\n    def __str__(self):\n        return 5\ndef attack():\n    raise E\n",
        "E",
        bare=True,
    ),
    Attack("giant-type-name", body("raise type('T' * 10 ** 6, (Exception,), {})"), "T" * 100, bare=True),
    Attack("hostile-type-name", body("raise type('\\x1b[2J', (Exception,), {})"), "\ufffd[2J", bare=True),
    Attack(
        "replaced-stdout",
        body(
            "class Out:\n    def write(self, text):\n        while True: pass\nsys.stdout = Out()\nprint(1)"
        ),
        "TimeLimit",
    ),
    Attack(
        "printed-then-act",
        body("for i in range(50):\n    print('x' * 10000)\n    act(i)"),
        "value",
        bare=True,
    ),
]
