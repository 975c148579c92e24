"""Whether this web process can serve anybody: for load balancers and `doctor`."""

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

SECONDS = 2.0


def database_answers() -> bool:
    """Whether the database runs a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def redis_answers() -> bool:
    """Whether Redis answers within two seconds; a new connection, so that no pool hides its end."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        with client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 `ok`, or 503 with the names of what does not answer."""
    away = [name for name, answers in (("database", database_answers), ("redis", redis_answers)) if not answers()]
    if away:
        return HttpResponse(f"not answering: {', '.join(away)}\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
