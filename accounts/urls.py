from django.urls import path

from accounts import tokens, views

app_name = "accounts"
urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("accounts/password/", views.Password.as_view(), name="password"),
    path("accounts/preferences/", views.preferences, name="preferences"),
    path("accounts/tokens/", tokens.tokens, name="tokens"),
    path("accounts/tokens/<int:pk>/remove/", tokens.remove, name="token-remove"),
]
