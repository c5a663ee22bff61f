import ssl

from gateway.quick_start import lean_imports


def test_contexts_made_meanwhile_trust_nobody_and_later_ones_are_as_ever() -> None:
    load = ssl.SSLContext.load_default_certs
    with lean_imports():
        lean = ssl.create_default_context()
    assert lean.get_ca_certs() == []
    assert lean.verify_mode == ssl.CERT_REQUIRED
    assert ssl.SSLContext.load_default_certs is load
