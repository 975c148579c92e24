app_name = "instances"
urlpatterns = []
