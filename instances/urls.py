from django.urls import path

from instances import bulk, creating, views
from instances.actions import POWER

app_name = "instances"
urlpatterns = [
    path("", views.instance_list, name="list"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("delete/", bulk.bulk_delete, name="bulk-delete"),
    path("create/", creating.create, name="create"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/discard/", views.discard, name="discard"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/media/", views.media, name="media"),
    path("<int:pk>/autostart/", views.autostart, name="autostart"),
    *(path(f"<int:pk>/{verb}/", views.power, {"verb": verb}, name=verb) for verb in POWER),
]
