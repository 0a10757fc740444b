"""What the extra `babyai` brings."""

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages("babyai", ("minigrid", "gymnasium"), ("minigrid",))
