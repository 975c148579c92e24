from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import PreferencesForm
from accounts.rights import actor_of

login = LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True)
logout = LogoutView.as_view()


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
