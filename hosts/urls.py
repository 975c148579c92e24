from django.urls import path

from hosts import connect_views, views

app_name = "hosts"
urlpatterns = [
    path("", views.listing, name="list"),
    path("add/", connect_views.add, name="add"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/address/", connect_views.address, name="address"),
    path("<int:pk>/connect/", connect_views.connect, name="connect"),
    path("<int:pk>/keys/", connect_views.keys, name="keys"),
    path("<int:pk>/trust/", connect_views.trust, name="trust"),
    path("<int:pk>/check/", views.check, name="check"),
]
