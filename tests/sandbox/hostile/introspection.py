from tests.sandbox.hostile import Attack, body

ATTACKS = [
    Attack(
        "subclasses",
        body(
            """
for kind in ().__class__.__base__.__subclasses__():
    space = getattr(getattr(kind, '__init__', None), '__globals__', None)
    if space and 'sys' in space and 'os' in space['sys'].modules:
        return space['sys'].modules['os'].listdir('@FOLDER@')
return 'found nothing'
"""
        ),
        "PermissionError",
        bare=True,
        core=True,
    ),
    Attack(
        "warning-catcher",
        body(
            "return [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == "
            "'catch_warnings'][0]()._module.sys.modules['os'].listdir('/')"
        ),
        "PermissionError|IndexError",
        bare=True,
    ),
    Attack(
        "frames",
        body("f = sys._getframe()\nwhile f.f_back:\n    f = f.f_back\nreturn sorted(f.f_globals)[:3]"),
        "value",
        core=True,
    ),
    Attack("environment", body("return dict(os.environ)"), "value", "{}", core=True),
    Attack(
        "c-environment",
        body(
            "libc_ = libc()\n"
            "libc_.getenv.restype = module('ctypes').c_char_p\n"
            "return repr(libc_.getenv(b'LEARNACT_TEST_KEY'))"
        ),
        "value",
        "None",
    ),
    Attack("arguments", body("return [*sys.argv, *sys.path]"), "value", "['']"),
    Attack(
        "collector",
        body("return [str(type(o)) for o in module('gc').get_objects() if 'Sandbox' in type(o).__name__]"),
        "value",
        "[]",
    ),
    Attack(
        "environment-object",
        body("return [k for k in sys.modules if 'domains' in k or 'openai' in k or 'agents' in k]"),
        "value",
        "[]",
    ),
    Attack(
        "import-of-os", body("import os as o\nreturn o.listdir('/')"), "ImportError", bare=True, core=True
    ),
    Attack(
        "builtins-import", body("return __builtins__['__import__']('os').getpid()"), "ImportError", bare=True
    ),
    Attack("exec-string", body("exec('import os')"), "ImportError", bare=True),
    Attack(
        "format-string",
        body("return '{0.__class__.__init__.__globals__}'.format(act)[:20]"),
        "AttributeError",
        bare=True,
    ),
    Attack(
        "code-object",
        body(
            "c = (lambda: 0).__code__\nreturn eval(c.replace(co_code=bytes([255, 255] * 40), co_stacksize=1))"
        ),
        "Crashed|SystemError|value|TimeLimit",
    ),
    Attack(
        "closure-of-primitive",
        body("return [type(c.cell_contents).__name__ for c in act.__closure__]"),
        "value",
    ),
    Attack(
        "traceback-frames",
        body(
            "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n"
            "    return e.__traceback__.tb_frame.f_back.f_back.f_globals['os'].open('@SECRET@', 0)"
        ),
        "PermissionError|KeyError",
    ),
    Attack(
        "audit-hook",
        body("sys.addaudithook(lambda *a: None)\nreturn open('@SECRET@').read()"),
        "PermissionError",
    ),
]
