"""Import the top-level modules of every installed distribution; print those that fail."""

import importlib
import importlib.metadata
import sys
import warnings

warnings.simplefilter("ignore")
# Modules that are not made to be imported alone, each with why.
NOT_MODULES = {
    "_distutils_hack": "a start-up hook of setuptools",
    "_xxhash": "xxhash's compiled half, inside the package since 3.0",
    "blackd": "black's server, which needs black[d]",
}

failures, imported = [], 0
for module, distributions in sorted(importlib.metadata.packages_distributions().items()):
    if module in NOT_MODULES or not module.isidentifier():
        continue
    try:
        importlib.import_module(module)
        imported += 1
    except Exception as error:
        failures.append(f"{module} of {distributions[0]}: {type(error).__name__}: {error}")
print(f"{imported} modules imported")
print("\n".join(failures))
sys.exit(1 if failures else 0)
