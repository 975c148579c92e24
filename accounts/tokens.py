"""A person's own API tokens, as a page."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import ApiToken
from accounts.rights import actor_of


class TokenForm(forms.ModelForm[ApiToken]):
    """A new token."""

    class Meta:
        model = ApiToken
        fields = ["name", "scope"]
        labels = {"name": gettext_lazy("What it is for"), "scope": gettext_lazy("It may")}
        widgets = {
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            "scope": forms.Select(attrs={"class": "form-select"}),
        }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a new one; its secret is in the answer to the POST and nowhere else."""
    actor = actor_of(request.user)
    form = TokenForm(request.POST or None, initial={"scope": ApiToken.Scope.READ})
    made = secret = None
    if request.method == "POST" and form.is_valid():
        made, secret = ApiToken.issue(user=actor, **form.cleaned_data)
        form = TokenForm(initial={"scope": ApiToken.Scope.READ})
    context = {"form": form, "made": made, "secret": secret, "tokens": actor.api_tokens.order_by("-created_at", "-pk")}
    return render(request, "accounts/tokens.html", context)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """The end of one's own token."""
    token = get_object_or_404(actor_of(request.user).api_tokens, pk=pk)
    token.delete()
    messages.success(request, _("The token %(name)s is removed.") % {"name": token.name})
    return redirect("accounts:tokens")
