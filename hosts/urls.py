from django.urls import path

from hosts import check_views, connect_views, detail_views, views

app_name = "hosts"
urlpatterns = [
    path("", views.listing, name="list"),
    path("add/", connect_views.add, name="add"),
    path("<int:pk>/", detail_views.detail, name="detail"),
    path("<int:pk>/address/", connect_views.address, name="address"),
    path("<int:pk>/connect/", connect_views.connect, name="connect"),
    path("<int:pk>/edit/", detail_views.edit, name="edit"),
    path("<int:pk>/keys/", connect_views.keys, name="keys"),
    path("<int:pk>/remove/", detail_views.remove, name="remove"),
    path("<int:pk>/trust/", connect_views.trust, name="trust"),
    path("<int:pk>/check/", check_views.check, name="check"),
]
