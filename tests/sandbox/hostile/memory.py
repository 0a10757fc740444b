from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack("one-big-list", body("return len([0] * 10 ** 9)"), "MemoryLimit", bare=True, core=True),
    Attack("bytes", body("return len(bytearray(1 << 40))"), "MemoryLimit", bare=True),
    Attack(
        "growing-list",
        body("x = []\nwhile True:\n    x.append(bytearray(1 << 20))"),
        "MemoryLimit|TimeLimit",  # on a busy machine the pages may take the CPU bound first
        bare=True,
        core=True,
    ),
    Attack(
        "growing-swallowed",
        body(
            "x = []\nwhile True:\n    try:\n"
            "        x.append(bytearray(1 << 16))\n"
            "    except MemoryError:\n        pass"
        ),
        "TimeLimit",
        bare=True,
    ),
    Attack("string-doubling", body("s = 'x'\nwhile True:\n    s += s"), "MemoryLimit", bare=True),
    Attack(
        "dict",
        body("d = {}\ni = 0\nwhile True:\n    d[i] = str(i) * 50\n    i += 1"),
        "MemoryLimit|TimeLimit",
        bare=True,
    ),
    Attack(
        "nested-comprehension",
        body("return [[0] * 10 ** 6 for _ in range(10 ** 6)]"),
        "MemoryLimit",
        bare=True,
    ),
    Attack(
        "permutations",
        body("import itertools\nreturn list(itertools.permutations(range(20)))"),
        "MemoryLimit|TimeLimit",
        bare=True,
    ),
    Attack("format-width", body("return '%*d' % (2 ** 31 - 1, 1)"), "MemoryLimit|OverflowError", bare=True),
    Attack("repeat", body("import itertools\nreturn list(itertools.repeat(1))"), "MemoryLimit", bare=True),
    Attack(
        "raw-mmap",
        body(
            "m = libc()\nm.mmap.restype = module('ctypes').c_long\nreturn m.mmap(0, 1 << 36, 3, 0x22, -1, 0)"
        ),
        "value",
        "-1",
    ),
    Attack(
        "raw-brk",
        body(
            "m = libc()\nm.sbrk.restype = module('ctypes').c_long\n"
            "return m.sbrk(module('ctypes').c_long(1 << 33))"
        ),
        "value",
        "-1",
    ),
    Attack(
        "raw-many-mmaps",
        body(
            "m = libc()\nm.mmap.restype = module('ctypes').c_long\n"
            "n = 0\nwhile m.mmap(0, 1 << 20, 3, 0x22, -1, 0) != -1:\n"
            "    n += 1\nreturn n < 256"
        ),
        "value|MemoryLimit|Crashed",
        "True",
    ),
    Attack(
        "leak-between-calls",
        body("confined.kept = bytearray(200 << 20)\nreturn len(confined.kept) >> 20"),
        "value",
        "200",
    ),
    Attack("stack", body("return libc().alloca(1 << 30)"), "AttributeError"),
]
