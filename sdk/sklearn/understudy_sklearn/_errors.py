"""Why a model was not written."""


class ExportError(ValueError):
    """The model and what was said about its columns do not fit, or the model is not fitted."""


class Unsupported(ExportError):
    """The model uses something that would not be computed exactly as scikit-learn does it."""

    def __init__(self, place: str, what: str, hint: str | None = None) -> None:
        super().__init__(f"{place}: {what} is not supported" + (f"; {hint}" if hint else ""))
        self.place = place
        self.what = what


def refuse_parameter(place: str, model: object, name: str, hint: str | None = None) -> Unsupported:
    """The refusal of a parameter, by the name of the class, its own, and its value."""
    return Unsupported(place, f"{type(model).__name__}({name}={getattr(model, name)!r})", hint)
