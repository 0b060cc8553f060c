"""What can go wrong, one flat list; no message ever holds a cell value."""


class AnonError(Exception):
    """Any failure that a user can mend; its text names the thing, the place and the way out."""


class PolicyError(AnonError):
    """The policy cannot be applied to this dataset; nothing was read or released."""


class HierarchyGapError(PolicyError):
    """A hierarchy does not name values that the data has.

    missing: up to ten of these values, for an interactive command line; no message, log or event holds them. more: how
    many there are beside these, where that is known.
    """

    def __init__(self, message: str, missing: tuple[str, ...] = (), more: int = 0) -> None:
        super().__init__(message)
        self.missing = missing
        self.more = more


class SourceError(AnonError):
    """The source data cannot be read as the policy says; nothing was released."""


class KeyUnavailableError(AnonError):
    """A secret key is missing, unreadable or weak; nothing was read or released."""


class BusyError(AnonError):
    """Another run works on the same dataset."""


class StorageError(AnonError):
    """A file could not be written or read back; no half release is visible."""


class BudgetError(AnonError):
    """A privacy budget does not cover what was asked; nothing was spent."""


class ReleaseRefusedError(AnonError):
    """A blocking check failed on the bytes to be released; the report says which, no data left."""


class NotApprovedError(AnonError):
    """A re-identification that nobody else approved, or that was approved otherwise; no value was shown."""


class IntegrityError(AnonError):
    """A release or the audit ledger is not what was written."""
