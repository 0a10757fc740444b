from tests.sandbox.hostile import Attack, body

HUGE = "b'[' * 1000"

ATTACKS = [
    Attack("garbage", body("send(b'not json at all')\nreturn 1"), "Forbidden", core=True),
    Attack("huge-header", body("send(b'', b'\\xff\\xff\\xff\\xff')\nreturn 1"), "Forbidden", core=True),
    Attack("too-long", body("send(b'x' * 300000)\nreturn 1"), "Forbidden"),
    Attack(
        "half-a-frame",
        body("os.write(3, (100).to_bytes(4, 'big') + b'half')\nos.read(3, 1)"),
        "Forbidden",
        core=True,
    ),
    Attack("header-only", body("os.write(3, (100).to_bytes(4, 'big'))\nwhile True: pass"), "TimeLimit"),
    Attack("empty-frame", body("send(b'')"), "Forbidden"),
    Attack("null", body("send(b'null')"), "Forbidden"),
    Attack("deep-json", body("send(b'[' * 100000 + b']' * 100000)"), "Forbidden", core=True),
    Attack("giant-integer", body("send(b'[\"end\",' + b'9' * 200000 + b',null,\"\"]')"), "Forbidden"),
    Attack("integer-of-4000-digits", body("send(b'[\"end\",' + b'9' * 4000 + b',null,\"\"]')"), "Forbidden"),
    Attack("nan", body('send(b\'["end",NaN,null,""]\')'), "Forbidden"),
    Attack("infinity", body('send(b\'["end",1e999,null,""]\')'), "Forbidden"),
    Attack("surrogate", body('send(b\'["end","\\\\ud800",null,""]\')'), "Forbidden"),
    Attack("not-utf8", body('send(b\'["end","\\xff",null,""]\')'), "Forbidden"),
    Attack("deep-value", body("send(b'[\"end\",' + b'[' * 100 + b']' * 100 + b',null,\"\"]')"), "Forbidden"),
    Attack("wide-value", body("send(b'[\"end\",[' + b'1,' * 50000 + b'1],null,\"\"]')"), "Forbidden"),
    Attack(
        "unknown-primitive",
        body('send(b\'["do","reward",[],{},null,""]\')\nos.read(3, 99)'),
        "Forbidden",
        core=True,
    ),
    Attack(
        "private-primitive", body('send(b\'["do","__class__",[],{},null,""]\')\nos.read(3, 99)'), "Forbidden"
    ),
    Attack("keywords-no-dict", body('send(b\'["do","act",[],[],null,""]\')\nos.read(3, 99)'), "Forbidden"),
    Attack("no-arguments", body('send(b\'["do","act"]\')\nos.read(3, 99)'), "Forbidden"),
    Attack("forged-success", body('send(b\'["end","won",null,"",true]\')'), "Forbidden"),
    Attack(
        "forged-end",
        body('send(b\'["end","forged",null,""]\')\nos.read(3, 99)'),
        "value",
        "forged",
        core=True,
    ),
    Attack(
        "two-ends",
        body('send(b\'["end","one",null,""]\' + (21).to_bytes(4, \'big\') + b\'["end","two",null,""]\')'),
        "Forbidden|value",
    ),
    Attack(
        "end-then-end",
        body('send(b\'["end","one",null,""]\')\nsend(b\'["end","two",null,""]\')\nos.read(3, 99)'),
        "value",
        "one",
    ),
    Attack(
        "two-requests",
        body(
            'f = b\'["do","act",[1],{},null,""]\'\n'
            "os.write(3, 2 * (len(f).to_bytes(4, 'big') + f))\n"
            "os.read(3, 99)\nos.read(3, 99)"
        ),
        "Forbidden",
        core=True,
    ),
    Attack(
        "thousand-requests",
        body(
            'f = b\'["do","act",[1],{},null,""]\'\nwhile True:\n'
            "    os.write(3, 500 * (len(f).to_bytes(4, 'big') + f))"
        ),
        "Forbidden",
    ),
    Attack("flood", body("while True:\n    os.write(3, b'\\0' * 65536)"), "Forbidden", core=True),
    Attack(
        "crumbs",
        body("os.write(3, (200000).to_bytes(4, 'big'))\nwhile True:\n    os.write(3, b'1')"),
        "Forbidden|TimeLimit",
    ),
    Attack("steal-the-answer", body("os.write(3, b'')\nreturn os.read(3, 99).decode()"), "Forbidden"),
    Attack(
        "hostile-place",
        body(
            'send(b\'["do","act",[],{},["<library>","\' + b\'x\' * 9000 + b\'",-1e300],7]\')\n'
            "os.read(3, 99)\nreturn 'on'"
        ),
        "value",
        "on",
    ),
    Attack(
        "hostile-error",
        body(
            'send(b\'["end",null,["","\\\\u0000\\\\u001b[2J",[[],{},99999999999999]],"\\\\u001b[2J"]\')\n'
            "os.read(3, 99)"
        ),
        "Error",
    ),
    Attack("error-of-wrong-form", body('send(b\'["end",null,{"type":1},""]\')\nos.read(3, 99)'), "Forbidden"),
    Attack("forged-ready", body("send(b'[\"ready\"]')"), "Forbidden"),
    Attack("forged-unconfined", body('send(b\'["unconfined","x"]\')'), "Forbidden"),
    Attack("printed-no-text", body("send(b'[\"end\",1,null,[[[1]]]]')\nos.read(3, 99)"), "value", "1"),
    Attack("write-after-act", body("act(1)\nos.write(3, b'xyz')\nact(2)"), "Forbidden"),
]
