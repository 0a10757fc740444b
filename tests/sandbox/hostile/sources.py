from tests.sandbox.hostile import Attack

NESTED = {
    "minus": "-" * 50000 + "1",
    "not": "not " * 12000 + "1",
    "attributes": "a" + ".a" * 30000,
    "calls": "a" + "()" * 30000,
    "sum": "1+" * 30000 + "1",
    "lambdas": "lambda:" * 9000 + "1",
    "ternaries": "1 if 0 else " * 5000 + "1",
    "powers": "2**" * 20000 + "2",
    "brackets": "[" * 30000,
    "subscripts": "a" + "[0]" * 20000,
}

ATTACKS = [
    Attack("too-long", "def attack():\n    return 1\n#" + "x" * 70000, "SourceLimit", bare=True, core=True),
    Attack(
        "call-too-long",
        "def attack(x):\n    return 1\n",
        "SourceLimit",
        bare=True,
        call="attack('" + "x" * 70000 + "')",
    ),
    Attack("null-byte", "def attack():\n    return 1\n\0", "SyntaxError|ValueError", bare=True, core=True),
    Attack("surrogate", "def attack():\n    return '\ud800'\n", "value|SyntaxError", bare=True),
    Attack("bad-indent", "def attack():\nreturn 1\n", "IndentationError", bare=True),
    Attack("tabs", "def attack():\n\tif 1:\n        return 1\n", "TabError", bare=True),
    Attack(
        "hundred-blocks",
        "def attack():\n" + "".join(" " * (i + 1) + "if 1:\n" for i in range(99)) + " " * 100 + "return 1\n",
        "value|IndentationError|SyntaxError",
        bare=True,
    ),
    Attack("fake-coding", "# coding: rot13\ndef attack():\n    return 1\n", "value", "1", bare=True),
    Attack(
        "call-is-statement",
        "def attack():\n    return 1\n",
        "PermissionError",
        bare=True,
        call="open('@SECRET@')\n",
    ),
    Attack("call-is-nothing", "def attack():\n    return 1\n", "value", bare=True, call=""),
    Attack(
        "call-is-deep",
        "def attack():\n    return 1\n",
        "SyntaxError",
        bare=True,
        call="-" * 50000 + "1",
        core=True,
    ),
    *(
        Attack(
            f"nested-{name}",
            f"def attack():\n    return {text}\n",
            "SyntaxError",
            bare=True,
            core=name in ("minus", "sum"),
        )
        for name, text in NESTED.items()
    ),
]
