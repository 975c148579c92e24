"""Fields that several shapes share."""

from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

MOST_BYTES = 2**63 - 1
MOST_ID = 2**63 - 1


class Id(serializers.IntegerField):
    """A row's id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MOST_ID, **kwargs)


class Moment(serializers.DateTimeField):
    """RFC 3339 in UTC, whatever the person's own zone is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class Shape(serializers.Serializer[Any]):
    """What is only answered; what people send is Strict."""


class Strict(serializers.Serializer[Any]):
    """What somebody sends: a field that is not known is an error, since it would be left undone in silence."""

    def to_internal_value(self, data: Any) -> Any:
        known: Any = super().to_internal_value(data)
        unknown = set(data) - set(self.fields)
        if unknown:
            raise serializers.ValidationError({name: [_("This field is not known here.")] for name in sorted(unknown)})
        return known
