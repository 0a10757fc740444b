"""The runs that pages are made of."""

from tests.pages.conftest import hostile  # noqa: F401 - a fixture
from tests.report.conftest import folder  # noqa: F401 - a fixture
