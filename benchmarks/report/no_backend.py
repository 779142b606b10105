"""What the report draws with: matplotlib without the backend that the user's environment names, which need not exist in this one.

A notebook sets MPLBACKEND for itself and all that it starts.  The report draws an SVG, for which matplotlib needs no backend.  The user's
own styles have no effect either: matplotlib is given the file that comes with it, so that a file that it cannot read is not asked for.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from lenet5.errors import InputError

SETTINGS = "matplotlibrc"


def _own_settings() -> dict[str, str]:
    """The variable that names the file which comes with matplotlib, as far as it is where it usually is."""
    package = importlib.util.find_spec("matplotlib")
    files = [Path(place, "mpl-data", SETTINGS) for place in (package.submodule_search_locations or () if package else ())]
    return {SETTINGS.upper(): str(file) for file in files if file.is_file()}


users = {name: os.environ.pop(name) for name in ("MPLBACKEND", SETTINGS.upper()) if name in os.environ}
os.environ.update(_own_settings())
try:
    import matplotlib
    from matplotlib import ticker
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.lines import Line2D
except UnicodeDecodeError as error:  # in the working directory it is looked for before all else
    raise InputError(
        f"{Path(SETTINGS).absolute()}: is no UTF-8 text ({error.reason}), so matplotlib cannot begin; mend it"
    ) from None
finally:
    os.environ.pop(SETTINGS.upper(), None)
    os.environ.update(users)

__all__ = ["Axes", "Canvas", "Line2D", "matplotlib", "ticker"]
