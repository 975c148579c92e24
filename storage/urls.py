from django.urls import path

from storage import pool_views, views, volume_views

app_name = "storage"
urlpatterns = [
    path("", views.pool_list, name="list"),
    path("create/", pool_views.create, name="pool-create"),
    path("<int:pk>/", views.pool_detail, name="detail"),
    path("<int:pk>/autostart/", pool_views.autostart, name="pool-autostart"),
    path("<int:pk>/remove/", pool_views.remove, name="pool-remove"),
    path("<int:pk>/start/", pool_views.start, name="pool-start"),
    path("<int:pk>/stop/", pool_views.stop, name="pool-stop"),
    path("<int:pk>/upload/", views.upload_page, name="upload"),
    path("<int:pk>/refresh/", views.refresh, name="refresh"),
    path("<int:pk>/create/", volume_views.create, name="volume-create"),
    path("volumes/<int:pk>/clone/", volume_views.clone, name="volume-clone"),
    path("volumes/<int:pk>/delete/", volume_views.delete, name="volume-delete"),
    path("volumes/<int:pk>/download/", volume_views.download, name="volume-download"),
    path("volumes/<int:pk>/grow/", volume_views.grow, name="volume-grow"),
    path("uploads/<uuid:pk>/retry/", views.retry, name="retry"),
    path("uploads/<uuid:pk>/cancel/", views.abort, name="abort"),
]
