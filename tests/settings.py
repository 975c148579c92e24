"""Settings of the unit ring: a folder of its own, the database in memory, no other process needed."""

import atexit
import os
import shutil
import tempfile

DATA_FOLDER = tempfile.mkdtemp(prefix="webvirt-tests-")
atexit.register(shutil.rmtree, DATA_FOLDER, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("WEBVIRT_")]:
    del os.environ[name]
os.environ["WEBVIRT_DATA"] = DATA_FOLDER
os.environ["WEBVIRT_SECRET_KEY"] = "for tests alone"

from webvirt.settings import *  # noqa: E402, F403 - the environment comes first
from webvirt.settings import DATABASES, SQLITE_OPTIONS, STORAGES  # noqa: E402

# Django gives the test database in memory a shared cache, so that a test's threads see the same rows.
DATABASES["default"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": ":memory:",
    "CONN_MAX_AGE": 0,
    "OPTIONS": {"transaction_mode": SQLITE_OPTIONS["transaction_mode"]},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CELERY_BROKER_URL = "memory://"
