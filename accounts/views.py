import math
from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import attempts
from accounts.forms import OwnPasswordForm, PreferencesForm
from accounts.rights import actor_of
from accounts.sessions import sessions_ended


class Login(auth.LoginView):
    """Signing in; 429 where there were too many attempts."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wait := attempts.before_login(request):
            form = self.get_form_class()(request, initial={"username": request.POST.get("username", "")})
            return too_many(self.render_to_response(self.get_context_data(form=form, minutes=minutes(wait))), wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        attempts.after_login(self.request, response, form.get_user())
        return response


class Logout(auth.LogoutView):
    """Signing out, in every tab."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user = request.user
        response = super().post(request, *args, **kwargs)
        if user.is_authenticated:
            sessions_ended.send(sender=None, user=user)
        return response


class Password(auth.PasswordChangeView):
    """One's own new password, which ends all other sessions; the old one can be tried as often as at the login page."""

    template_name = "accounts/password.html"
    form_class = OwnPasswordForm
    success_url = reverse_lazy("overview")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wait := attempts.spend(attempts.PASSWORDS, self.counted):
            context = self.get_context_data(form=self.get_form_class()(actor_of(request.user)), minutes=minutes(wait))
            return too_many(self.render_to_response(context), wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        attempts.give_back(attempts.PASSWORDS, self.counted)
        sessions_ended.send(sender=None, user=self.request.user)
        messages.success(self.request, _("Your password is changed, and you are logged out everywhere else."))
        return response

    @property
    def counted(self) -> str:
        return f"own {self.request.user.pk}"


def minutes(seconds: int) -> int:
    return math.ceil(seconds / 60)


def too_many(response: HttpResponse, wait: int) -> HttpResponse:
    response.status_code = 429
    response["Retry-After"] = str(wait)
    return response


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Remember the theme or the language that the person chose."""
    form = PreferencesForm(request.POST, instance=actor_of(request.user))
    if not form.is_valid():
        return HttpResponseBadRequest(_("There is no such choice."))
    form.save()
    if request.headers.get("X-Webvirt-Toast"):
        return HttpResponse(status=204)
    back = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if here else "overview")
