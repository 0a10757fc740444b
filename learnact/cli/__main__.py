"""`python -m learnact.cli`: the command line where no script is installed, as inside a submitted job."""

from learnact.cli import main

main()
