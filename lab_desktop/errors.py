"""Every error that a person can see.

    LabError                what happened, what to do about it; shown as written
    ├─ LeafError            a lesson file or folder that cannot be used
    ├─ LibraryError         a library that cannot be opened, fetched or compared
    │  └─ Unreached         there is no way to it now; the same later may go well
    ├─ DocumentError        a source document that cannot be read
    ├─ ModelError           a model file that cannot be opened or run
    │  └─ ServerError       a model elsewhere that cannot be reached, or does not answer as it should
    ├─ DownloadError        a model that could not be fetched
    ├─ PublishError         a trained model that could not be given to the hub
    ├─ ContributionError    a lesson that cannot be sent, or that its host refuses
    ├─ KeyringError         a key that the system's keyring does not take or give
    ├─ GenerationError      the teacher could not do its work
    ├─ TrainingError        the student could not be trained
    │  └─ OutOfMemory       training needs more memory than there is
    ├─ ExportError          the new model could not be written or did not answer
    ├─ EvaluationError      the questions could not be asked
    ├─ UpdateError          whether there is a newer version could not be asked
    ├─ RunError             a run folder that is missing, foreign, damaged or in use
    └─ StorageError         disk full, no permission, device gone

    Cancelled               the person asked to stop; never an error, shown as a calm sentence

Anything else that escapes is a bug, and is reported as one; but for memory that the system did not give
(`is_want_of_memory`), which whoever started the work turns into a sentence.
"""

import errno


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


class Unreached(LibraryError):
    """A library elsewhere cannot be reached now: no connection, or its host is not well."""


class DocumentError(LabError):
    """A source document cannot be used."""


class ModelError(LabError):
    """A model file cannot be opened or run."""


class ServerError(ModelError):
    """A model elsewhere cannot be reached, or does not answer as it should."""


class DownloadError(LabError):
    """A model could not be fetched. What has arrived is kept."""


class PublishError(LabError):
    """A trained model could not be given to the hub. What arrived there whole is not sent again."""


class ContributionError(LabError):
    """A lesson cannot be sent, or its host refuses."""


class KeyringError(LabError):
    """The system's keyring does not take or give a key."""


class GenerationError(LabError):
    """The teacher could not do its work."""


class TrainingError(LabError):
    """The student could not be trained."""


class OutOfMemory(TrainingError):
    """Training needs more memory than there is."""


class ExportError(LabError):
    """The new model could not be written, or did not answer."""


class EvaluationError(LabError):
    """The questions could not be asked."""


class UpdateError(LabError):
    """Whether there is a newer version could not be asked, or the answer cannot be used."""


class RunError(LabError):
    """A run folder is missing, foreign, damaged, or in use by another job."""


class StorageError(LabError):
    """The disk is full, read-only, or gone."""


class Cancelled(Exception):
    """The person asked to stop. What was finished is on disk."""


NO_MEMORY = "There is not enough free memory for this. Everything finished is saved."
NO_MEMORY_HINT = "Close other programs, then go on."


_WANT_OF_MEMORY = (
    "bad_alloc", "can't allocate", "can't start new thread", "could not create a primitive",
    "could not create a memory",
)  # fmt: skip
"""What C++, Python, torch and oneDNN say when they get none and have no own class of error for it."""


def is_want_of_memory(error: BaseException) -> bool:
    """The system gave no more memory: Python's own error, a call of the system, or a library's."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, ImportError):  # a disk from which nothing may be run gives a reason behind these words
        return str(error).endswith("failed to map segment from shared object")
    is_said = isinstance(error, RuntimeError) and any(words in str(error) for words in _WANT_OF_MEMORY)
    return is_said or isinstance(error, MemoryError)
