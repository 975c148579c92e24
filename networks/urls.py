from django.urls import path

from networks import changes, views

app_name = "networks"
urlpatterns = [
    path("", views.network_list, name="list"),
    path("create/", changes.create, name="create"),
    path("<int:pk>/", views.network_detail, name="detail"),
    path("<int:pk>/start/", changes.start, name="start"),
    path("<int:pk>/stop/", changes.stop, name="stop"),
    path("<int:pk>/autostart/", changes.autostart, name="autostart"),
    path("<int:pk>/remove/", changes.remove, name="remove"),
]
