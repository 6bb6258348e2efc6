"""The extension of the package: scoring in C. All else is in pyproject.toml.

`pip` builds it with the package, `make kernel` in the checkout. Without a compiler the package installs without it, and numpy
scores: the same numbers, some times slower.
"""

from glob import glob
from pathlib import Path
from zlib import crc32

from setuptools import Extension, setup

files = sorted(glob("classifier/kernel*.[ch]"))
# `classifier.kernel` refuses an extension of other sources than those beside it: one that a `git pull` has left behind.
sources = crc32(b"".join(Path(file).read_bytes() for file in files))

setup(
    ext_modules=[
        Extension(
            "classifier._kernel",
            sources=[file for file in files if file.endswith(".c")],
            depends=[file for file in files if file.endswith(".h")],
            define_macros=[("SOURCES", f'"{sources:08x}"')],
            # -ffp-contract=off: what is rounded must not depend on the processor
            extra_compile_args=["-O3", "-std=c99", "-ffp-contract=off", "-g0"],
            libraries=["m"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
