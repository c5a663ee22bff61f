import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.dialects.seal import seal, unseal

NAMES = st.sampled_from(["anthropic", "gemini", "openai_responses", "openai_chat", "bedrock"])


@given(st.text(st.characters(exclude_categories=["Cs"])), NAMES, NAMES)
def test_a_proof_comes_home_with_its_owner(proof, origin, client):
    assume(origin != client)
    assert unseal(seal(proof, origin, client), client) == (proof, origin)


def test_a_proof_of_the_clients_own_dialect_goes_bare():
    assert seal("proof", "anthropic", "anthropic") == "proof"
    assert seal("proof", None, "anthropic") == "proof"
    assert unseal("proof", "anthropic") == ("proof", "anthropic")


def test_a_seal_is_base64_as_geminis_clients_want():
    assert base64.b64decode(seal("proof", "anthropic", "gemini"), validate=True) == b"gs1:anthropic:proof"


@pytest.mark.parametrize("proof", ["Z3Mx", "Z3MxOmFudGhyb3BpYzpw=!", "Z3MxOm", "Z3Mx!!!!", "Z3MxeA=="])
def test_what_only_looks_sealed_is_the_clients_own(proof):
    assert unseal(proof, "anthropic") == (proof, "anthropic")


@given(st.text(max_size=20))
def test_unsealing_never_raises(proof):
    unseal(proof, "anthropic")
    unseal("Z3Mx" + proof, "anthropic")
