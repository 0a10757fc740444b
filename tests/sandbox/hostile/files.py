from tests.sandbox.hostile import Attack, body

DENIED = "PermissionError"

ATTACKS = [
    Attack("open", body("return open('@SECRET@').read()"), DENIED, bare=True, core=True),
    Attack("open-write", body("open('@FOLDER@/made', 'w').write('x')"), DENIED, bare=True, core=True),
    Attack("os-open", body("return os.read(os.open('@SECRET@', 0), 99).decode()"), DENIED),
    Attack("io-fileio", body("return module('_io').FileIO('@SECRET@').read().decode()"), DENIED),
    Attack("io-open-code", body("return module('io').open_code('@SECRET@').read().decode()"), DENIED),
    Attack("listdir", body("return os.listdir('@FOLDER@')"), DENIED),
    Attack("scandir-here", body("return [e.name for e in os.scandir('.')]"), DENIED),
    Attack("stat", body("return os.stat('@SECRET@').st_size"), DENIED),
    Attack("unlink", body("os.unlink('@SECRET@')"), DENIED, core=True),
    Attack("rename", body("os.rename('@SECRET@', '@FOLDER@/other')"), DENIED),
    Attack("mkdir", body("os.mkdir('@FOLDER@/made')"), DENIED),
    Attack("symlink", body("os.symlink('@SECRET@', '@FOLDER@/made')"), DENIED),
    Attack("link", body("os.link('@SECRET@', '@FOLDER@/made')"), DENIED),
    Attack("chmod", body("os.chmod('@SECRET@', 0o777)"), DENIED),
    Attack("truncate", body("os.truncate('@SECRET@', 0)"), DENIED),
    Attack("chdir", body("os.chdir('/')"), DENIED),
    Attack("chroot-out", body("os.chroot('/../../..')"), DENIED),
    Attack("getcwd", body("return os.getcwd()"), DENIED),
    Attack("mknod", body("os.mkfifo('made')"), DENIED),
    Attack("memfd", body("return os.memfd_create('x')"), DENIED),
    Attack(
        "linecache",
        body("return module('linecache').getlines('@SECRET@')"),
        "value|ModuleNotFoundError|PermissionError",
        "[]",
    ),
    Attack(
        "import-file",
        body("sys.path.insert(0, '@FOLDER@')\nreturn module('planted').SECRET"),
        "ModuleNotFoundError",
    ),
    Attack(
        "loader",
        body(
            "return module('importlib._bootstrap_external').FileLoader('x', '@SECRET@').get_data('@SECRET@')"
        ),
        "PermissionError|ModuleNotFoundError",
    ),
    Attack(
        "shared-memory",
        body("return module('_posixshmem').shm_open('/x', 66, 0o600)"),
        "PermissionError|ModuleNotFoundError",
    ),
]
