from django.urls import path

from console import views

app_name = "console"
urlpatterns = [
    path("<int:pk>/console/", views.console, name="console"),
    path("<int:pk>/console/token/", views.token, name="token"),
]
