from django.urls import path

from storage import views

app_name = "storage"
urlpatterns = [
    path("", views.pool_list, name="list"),
    path("<int:pk>/", views.pool_detail, name="detail"),
    path("<int:pk>/upload/", views.upload_page, name="upload"),
    path("<int:pk>/refresh/", views.refresh, name="refresh"),
    path("uploads/<uuid:pk>/retry/", views.retry, name="retry"),
    path("uploads/<uuid:pk>/cancel/", views.abort, name="abort"),
]
