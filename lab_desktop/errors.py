"""Every error that a person can see.

    LabError                what happened, what to do about it; shown as written
    ├─ LeafError            a lesson file or folder that cannot be used
    ├─ LibraryError         a library that cannot be opened, fetched or compared
    ├─ DocumentError        a source document that cannot be read
    ├─ ModelError           a model file that cannot be opened or run
    ├─ GenerationError      the teacher could not do its work
    ├─ TrainingError        the student could not be trained
    ├─ ExportError          the new model could not be written or did not answer
    ├─ EvaluationError      the questions could not be asked
    ├─ RunError             a run folder that is missing, foreign, damaged or in use
    └─ StorageError         disk full, no permission, device gone

    Cancelled               the person asked to stop; never an error, shown as a calm sentence

Anything else that escapes is a bug, and is reported as one.
"""


class LabError(Exception):
    """Something went wrong that a person can understand and act on.

    Attributes:
        message: one or two sentences: what happened and what is safe. Names and numbers, no class names.
        hint: one sentence: what to do now.
        details: for a bug report, folded away on screen; may be empty.
    """

    def __init__(self, message: str, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class LeafError(LabError):
    """A leaf (lesson) cannot be used."""


class LibraryError(LabError):
    """A library cannot be opened, fetched or compared."""


class DocumentError(LabError):
    """A source document cannot be used."""


class ModelError(LabError):
    """A model file cannot be opened or run."""


class GenerationError(LabError):
    """The teacher could not do its work."""


class TrainingError(LabError):
    """The student could not be trained."""


class ExportError(LabError):
    """The new model could not be written, or did not answer."""


class EvaluationError(LabError):
    """The questions could not be asked."""


class RunError(LabError):
    """A run folder is missing, foreign, damaged, or in use by another job."""


class StorageError(LabError):
    """The disk is full, read-only, or gone."""


class Cancelled(Exception):
    """The person asked to stop. What was finished is on disk."""
