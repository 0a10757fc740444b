"""What a refusal of an endpoint means for the caller: the server's words, and the way out."""

from __future__ import annotations

from learnact.errors import ProviderFailure
from learnact.models.client import Endpoint, RejectedRequest
from learnact.records import ModelSpec


def refusal_failure(model: ModelSpec, endpoint: Endpoint, refusal: RejectedRequest) -> ProviderFailure:
    """What a refusal means for the caller: the server's words and the way out; never worth another try."""
    name, variable, url = model.name, model.api_key_env, endpoint.shown
    check = f"`learnact check-model --base-url {url} --model {name}` shows what it takes"
    unset = "" if endpoint.has_key else " (it is not set)"
    advice = {
        401: f"set the environment variable {variable}{unset} to a valid key",
        402: "the account has no credit left",
        403: f"the key in {variable}{unset} may not use this model",
        405: "this is not an OpenAI-compatible endpoint: check that the URL ends in /v1",
        404: f"no such model or path there: check the name and that the URL ends in /v1; {check}",
        429: "the account's quota is used up",
    }.get(refusal.status, f"check the model's parameters; {check}")
    if refusal.status < 400:
        advice = "the address leads elsewhere: give the one that it leads to as base_url"
    return ProviderFailure(f"{name}: {url} answered {refusal.status}: {refusal.message} -- {advice}", False)


def no_tools(model: ModelSpec, endpoint: Endpoint, refusal: RejectedRequest) -> ProviderFailure:
    """That an endpoint has no tool calling, and the way out."""
    return ProviderFailure(
        f"{model.name}: {endpoint.shown} does not take tools ({refusal.message}) -- set "
        "`action_format: call`, or start the server with tool calling (for vLLM --enable-auto-tool-choice "
        "and --tool-call-parser, for llama.cpp --jinja)",
        False,
    )
