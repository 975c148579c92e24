from django.urls import path

from hosts import views

app_name = "hosts"
urlpatterns = [
    path("", views.listing, name="list"),
    path("<int:pk>/", views.detail, name="detail"),
]
