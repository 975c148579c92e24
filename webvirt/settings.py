"""Settings, all from the environment (or `.env` beside manage.py) under the prefix WEBVIRT_."""

from pathlib import Path

import django_stubs_ext
import environ

from webvirt.places import kept_secret, private_folder, socket_folder

# Generic forms and views are subscripted in annotations, which Django itself does not allow.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA = Path(env.str("WEBVIRT_DATA", default=str(BASE_DIR / "var"))).resolve()
private_folder(DATA)
RUN = socket_folder(DATA)
SPOOL = private_folder(DATA / "spool")
DOWNLOADS = private_folder(DATA / "downloads")

PORT = env.int("WEBVIRT_PORT", default=8000)
BIND = env.str("WEBVIRT_BIND", default="127.0.0.1")
PUBLIC_URL = env.str("WEBVIRT_PUBLIC_URL", default="").rstrip("/")
UPLOAD_MAX = env.int("WEBVIRT_UPLOAD_MAX", default=0)  # bytes; 0: no limit
LOCAL_HOST = env.bool("WEBVIRT_LOCAL_HOST", default=True)

SECRET_KEY = env.str("WEBVIRT_SECRET_KEY", default="") or kept_secret(DATA / "keys" / "secret_key")
DEBUG = False
# nginx is the only way in and passes the Host header on; Origin is checked against it, so any name may be used.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "webvirt_session"
CSRF_COOKIE_NAME = "webvirt_csrf"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "webvirt.statics.StaticFiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "webvirt",
    "accounts",
    "live",
    "tasks",
    "hosts",
    "storage",
    "networks",
    "instances",
    "console",
    "monitor",
    "api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webvirt.middleware.RequestIdMiddleware",
    "webvirt.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignedInMiddleware",
    "accounts.middleware.PersonMiddleware",
    "live.middleware.LiveSeqMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webvirt.middleware.RefusedMiddleware",
]

ROOT_URLCONF = "webvirt.urls"
ASGI_APPLICATION = "webvirt.asgi.application"

CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "instances.context.frame",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS, "builtins": ["webvirt.templatetags.webvirt"]},
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "pieces",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS, "environment": "webvirt.pieces.environment"},
    },
]

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}
DATABASES = {"default": env.db("WEBVIRT_DATABASE_URL", default=f"sqlite:///{DATA / 'webvirt.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
# Requests are answered in threads that are kept (webvirt/threads.py), and so are their connections.
DATABASES["default"]["CONN_MAX_AGE"] = 60  # seconds
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("WEBVIRT_REDIS_URL", default=f"unix://{RUN / 'redis.sock'}?db=0")
CELERY_BROKER_URL = (
    "redis+socket://" + REDIS_URL.removeprefix("unix://").replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
# The row is the queue and a message only a doorbell: early acks, nothing fetched ahead, no results.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_TASK_DEFAULT_QUEUE = "quick"
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Who rings for a row does not wait for a Redis that is away: beat rings again.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 2}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "webvirt.beat.Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds; each round is a sign of life
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "celerybeat-schedule")

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "accounts:login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
NODE = BASE_DIR / "node_modules"
STATIC_BUILD = private_folder(DATA / "static-build")  # what `manage.py icons` makes
STATICFILES_DIRS = [
    BASE_DIR / "static",
    STATIC_BUILD,
    ("vendor/inter", NODE / "@fontsource-variable" / "inter"),
    ("vendor/novnc/core", NODE / "@novnc" / "novnc" / "core"),
    ("vendor/novnc/vendor", NODE / "@novnc" / "novnc" / "vendor"),
    ("vendor/tabler/css", NODE / "@tabler" / "core" / "dist" / "css"),
    ("vendor/tabler/js", NODE / "@tabler" / "core" / "dist" / "js"),
    ("vendor/htmx", NODE / "htmx.org" / "dist"),
    ("vendor/tus", NODE / "tus-js-client" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "webvirt.statics.HashedStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pagination",
    "EXCEPTION_HANDLER": "api.problems.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,  # the form of an answer is chosen by Accept alone
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Webvirt",
    "VERSION": "1",
    "DESCRIPTION": "Every change of a host answers 202 with its task; docs/api.md tells the rest.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["api.schema.without_aliases"],
    "ENUM_NAME_OVERRIDES": {
        "GraphicsType": ["vnc"],
        "HostState": "hosts.models.HostStatus.State",
        "Known": "hosts.models.Known",
        "InstanceState": "instances.models.Instance.State",
        "PoolState": "storage.models.Pool.State",
        "TaskState": "tasks.models.Task.State",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("WEBVIRT_LOG_LEVEL", default="INFO")},
}
