from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("giant-result", body("return 1 << 10 ** 6"), "Forbidden", bare=True, core=True),
    Attack(
        "giant-argument",
        body("act(1 << 10 ** 6)"),
        "ProtocolError|Forbidden|ValueError",
        bare=True,
        core=True,
    ),
    Attack("int-to-str", body("return str(10 ** 5000)"), "ValueError", bare=True),
    Attack(
        "lifted-digits", body("sys.set_int_max_str_digits(0)\nreturn len(str(10 ** (10 ** 7)))"), "TimeLimit"
    ),
    Attack("str-to-int", body("return int('9' * 5000)"), "ValueError", bare=True),
    Attack("nan", body("return float('nan')"), "Forbidden", bare=True),
    Attack("infinity", body("act(float('inf'))"), "ProtocolError|Forbidden|ValueError", bare=True),
    Attack("shift", body("return 1 << (1 << 62)"), "MemoryLimit|OverflowError", bare=True),
    Attack("power-tower", body("return pow(3, pow(3, pow(3, 4)))"), "TimeLimit|MemoryLimit", bare=True),
    Attack(
        "int-subclass",
        "class I(int):\n    def __int__(self):\n"
        "        return 1 << 99999\n    __index__ = __int__\n"
        "    def bit_length(self):\n        return 1\ndef attack():\n"
        "    return I(7)\n",
        "value",
        "7",
        bare=True,
    ),
    Attack(
        "float-subclass",
        "class F(float):\n    def __float__(self):\n"
        "        return float('nan')\n    def __repr__(self):\n"
        "        return '1e999'\ndef attack():\n    return F(7)\n",
        "value",
        "7.0",
        bare=True,
    ),
]
