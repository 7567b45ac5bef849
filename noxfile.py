"""Sessions for other Pythons and other versions of the dependencies than those of `.venv`; run with `nox`."""

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "docs", "quick"]
nox.options.error_on_missing_interpreters = True


def install(session: nox.Session, *extra: str) -> None:
    """Install the project as it stands, with what its tests need."""
    session.install(*extra, "-e", ".", "--group", "dev")


@nox.session(python=PYTHONS)
def quick(session: nox.Session) -> None:
    """Run the tests that need no network, no local AWS and no browser."""
    install(session)
    session.run("pytest", "-q", "-n", "2", "-m", "not local_aws and not browser and not slow", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the same tests with the lowest promised version of every dependency."""
    install(session)
    session.install("--resolution", "lowest-direct", "-e", ".")
    session.run("pytest", "-q", "-n", "2", "-m", "not local_aws and not browser and not slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check form."""
    session.install("ruff>=0.6")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    install(session)
    session.run("mypy")


@nox.session
def coverage(session: nox.Session) -> None:
    """Print how much of each room the tests run, branches too; arguments are pytest's."""
    install(session)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-q", "-n", "2", "-m", "not browser", *session.posargs)
    session.run("coverage", "combine", "-q")
    session.run("coverage", "json", "-q")
    session.run("python", "scripts/print_coverage.py")


@nox.session
def docs(session: nox.Session) -> None:
    """Compare the documentation with the code."""
    install(session)
    session.run("pytest", "-q", "tests/test_docs.py")
