"""Static files under names that carry a hash of their content, so that browsers may keep them for good."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

SOURCE_MAP = "sourceMappingURL"


class StaticFiles(StaticFilesConfig):
    """django.contrib.staticfiles without what the vendors' packages hold beside the files that pages use."""

    unused = ("*.map", "*.d.ts", "*.rtl.*", "tabler-*", "*-bundle.js", "ext")
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, *unused]


class HashedStorage(ManifestStaticFilesStorage):
    """Hashed names in CSS, and in the imports of JavaScript modules as well.

    Source maps are not served, so the lines that name one are left as they are.
    """

    support_js_module_import_aggregation = True
    patterns = tuple(
        (kind, tuple(one for one in found if SOURCE_MAP not in str(one)))
        for kind, found in ManifestStaticFilesStorage.patterns
    )
