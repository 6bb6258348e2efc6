"""Builds of the package from a copy of its sources, as `make kernel`, `pip` and the Dockerfile do it. They need no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT, missing

TOOLS = ROOT / "build" / "tools" / "bin" / "python"
"""The Python that has setuptools as requirements-build.lock pins it: `make kernel` sets it up."""
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "moderation", "classifier")
"""What the Dockerfile copies."""


def copy_sources(folder: Path) -> Path:
    """The sources in a folder of their own, nothing built."""
    folder.mkdir(exist_ok=True)
    unwanted = shutil.ignore_patterns("__pycache__", "_kernel.*.so")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def run(*arguments: str | Path, folder: Path, compiler: str = "") -> subprocess.CompletedProcess[str]:
    """A command of the build tools, in a folder of sources; `compiler` instead of this machine's."""
    if not TOOLS.exists():
        missing("The build tools are not set up: make kernel")
    environment = os.environ | ({"CC": compiler} if compiler else {})
    return subprocess.run(
        [TOOLS, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=300
    )


def build_in_place(folder: Path, compiler: str = "") -> str:
    """The extension, beside its sources. Returns what was said of it."""
    done = run("setup.py", "--quiet", "build_ext", "--inplace", "--force", folder=folder, compiler=compiler)
    return done.stdout + done.stderr


def build_wheel(folder: Path, compiler: str = "") -> Path:
    """The wheel, in the folder `wheels` beside the sources."""
    options = "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"
    run("-m", "pip", "wheel", *options, "--wheel-dir", "wheels", ".", folder=folder, compiler=compiler)
    (wheel,) = (folder / "wheels").glob("*.whl")
    return wheel
