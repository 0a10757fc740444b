from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack(
        "nested-quantifier",
        body("import re\nreturn re.match('(a+)+$', 'a' * 40 + 'b')"),
        "TimeLimit",
        bare=True,
        core=True,
    ),
    Attack(
        "alternation", body("import re\nreturn re.match('(a|aa)+$', 'a' * 60 + 'b')"), "TimeLimit", bare=True
    ),
    Attack(
        "backreference",
        body("import re\nreturn re.match(r'(a*)*\\1b', 'a' * 5000)"),
        "TimeLimit|value|RecursionError",
        bare=True,
    ),
    Attack("dots", body("import re\nreturn re.search('.*' * 30 + 'x', 'y' * 200)"), "TimeLimit", bare=True),
    Attack(
        "giant-pattern",
        body("import re\nreturn re.compile('(' * 5000 + ')' * 5000)"),
        "RecursionError|error|value|PatternError",
        bare=True,
    ),
    Attack(
        "giant-repeat",
        body("import re\nreturn bool(re.compile('(?:a{1,65535}){1,65535}').match('a' * 70000 + 'b'))"),
        "TimeLimit|MemoryLimit|value|OverflowError",
        bare=True,
    ),
    Attack("split", body("import re\nreturn len(re.split('(?:x+x+)+y', 'x' * 50))"), "TimeLimit", bare=True),
]
