"""What the extra `gym` brings."""

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages("gym", ("gymnasium",), ("gymnasium",))
