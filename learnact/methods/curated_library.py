"""A curated library, a control: functions that people wrote, so that learning can be told from having good
actions.

SkillsBench (2026) compares no skills, curated ones and those that a model wrote. The library is that of the
domain (each planning domain and ALFWorld ship one), or a file.
"""

from __future__ import annotations

from pathlib import Path

from learnact.domains.base import CuratedActions, Domain
from learnact.errors import LibraryError
from learnact.library.files import library_of, read_library
from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, MethodOptions, WorkBound
from learnact.methods.training import Blocked, Learned, Training
from learnact.records import Library


class CuratedLibraryOptions(MethodOptions):
    """Options of the curated library."""

    curated_file: str = ""
    """Curated library: a file of functions (Python, or the JSON of `learnact show --json`); none: the
    domain's own."""


class CuratedLibrary(Learner[CuratedLibraryOptions]):
    """The library that people wrote. Asks nothing and plays nothing."""

    name = "curated_library"
    learns_from = "people"
    keeps = "functions"
    options = CuratedLibraryOptions
    learns = False
    writes_code = True
    accepts_budget = False

    async def learn(self, training: Training, options: CuratedLibraryOptions) -> Learned:
        """The library.

        Raises:
            Blocked: the domain has none for its options, or the file is none.
        """
        library = curated(training.domain, options.curated_file)
        training.keep(0, library, Library(), "given")
        return Learned(library)

    def bound(self, options: CuratedLibraryOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Nothing."""
        return WorkBound()


def curated(domain: Domain, file: str = "") -> Library:
    """The library in a file, or the one that the domain ships.

    Raises:
        Blocked: there is none, or it is not acceptable.
    """
    names = [p.name for p in domain.primitives]
    try:
        if file:
            return read_library(Path(file).expanduser(), names)
        text = domain.curated_library if isinstance(domain, CuratedActions) else ""
        if text:
            return library_of(text, Path(f"{domain.name}.library.txt"), names)
    except LibraryError as error:
        raise Blocked(str(error)) from None
    raise Blocked(
        f"{domain.name} ships no curated library for these options; write one and name it: "
        "`learner: {curated_file: FILE}`"
    )


METHOD = Method("curated_library", ACT, CuratedLibrary(), "control: Act with functions that people wrote")
