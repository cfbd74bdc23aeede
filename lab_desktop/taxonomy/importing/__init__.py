"""Any qna.yaml that is found in the wild becomes a leaf, and it is said what that took.

read_anything    single     one file, or a part of one
mend             mending    text that YAML can read, line by line in `sweep`
Reader           reader     what it means, by `fields` and `written`; what stands beside in `leftovers`
"""

from lab_desktop.taxonomy.importing.archive import is_archive
from lab_desktop.taxonomy.importing.haul import Find, Haul, beside, bring_along, newcomer, settled
from lab_desktop.taxonomy.importing.repairs import Loss, Repair
from lab_desktop.taxonomy.importing.single import (
    ORIGINAL_NAME,
    ORIGINALS,
    Imported,
    keep_original,
    read_anything,
    write_imported,
)

__all__ = [
    "ORIGINALS",
    "ORIGINAL_NAME",
    "Find",
    "Haul",
    "Imported",
    "Loss",
    "Repair",
    "beside",
    "bring_along",
    "is_archive",
    "keep_original",
    "newcomer",
    "read_anything",
    "settled",
    "write_imported",
]
