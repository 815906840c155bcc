"""Writes trained scikit-learn models as plain files for `understudy pack`.

    from understudy_sklearn import export

    export(model, "model.json", columns=X_train)

The file holds numbers and texts, no code: nothing is unpickled where it is read. FORMAT.md beside the sources describes it.
"""

from ._errors import ExportError, Unsupported
from ._export import document, export

__all__ = ["ExportError", "Unsupported", "document", "export"]
__version__ = "0.1.0"
