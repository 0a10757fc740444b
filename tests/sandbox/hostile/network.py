from tests.sandbox.hostile import Attack, body

DENIED = "PermissionError"

ATTACKS = [
    Attack(
        "connect",
        body(
            "s = module('socket').socket()\n"
            "s.connect(('127.0.0.1', @PORT@))\ns.send(b'x')\n"
            "return 'connected'"
        ),
        DENIED,
        core=True,
    ),
    Attack("udp", body("module('socket').socket(2, 2).sendto(b'x', ('127.0.0.1', @PORT@))"), DENIED),
    Attack("listen", body("s = module('socket').socket()\ns.bind(('127.0.0.1', 0))\ns.listen()"), DENIED),
    Attack("unix", body("module('socket').socket(1, 1).connect('\\0@ABSTRACT@')"), DENIED, core=True),
    Attack("socketpair", body("module('socket').socketpair()"), DENIED),
    Attack("raw", body("module('socket').socket(2, 3, 1)"), DENIED),
    Attack("netlink", body("module('socket').socket(16, 3, 0)"), DENIED),
    Attack("vsock", body("module('socket').socket(40, 1, 0)"), DENIED),
    Attack(
        "resolve",
        body("return module('socket').getaddrinfo('localhost', 80)"),
        "gaierror|PermissionError|UnicodeError|LookupError|MemoryLimit",
    ),
    Attack(
        "channel-as-socket",
        body("s = module('socket').socket(fileno=3)\nreturn s.sendmsg([b'x'])"),
        "PermissionError|OSError",
    ),
    Attack(
        "urllib",
        body("return module('urllib.request').urlopen('http://127.0.0.1:@PORT@').read()"),
        "ModuleNotFoundError",
    ),
]
