"""What every answer has: packing, ETags, CORS, HEAD, on the running service."""

import gzip

import pytest
import requests

ORIGIN = "https://web.example"


@pytest.fixture(scope="module")
def large(server):
    """Address of a text answer above 1 KiB that anybody may read."""
    for path in ("/v1/enumerations", "/problems", "/docs",
                 "/v1/openapi.json"):
        answer = requests.get(server.url + path,
                              headers={"Accept-Encoding": "identity"})
        if answer.status_code == 200 and 1024 < len(answer.content) < 1 << 20:
            return server.url + path
    pytest.fail("no answer to pack")


def get(url, **headers):
    headers = {name.replace("_", "-"): value
               for name, value in headers.items()}
    headers.setdefault("Accept-Encoding", "identity")
    return requests.get(url, headers=headers, stream=True)


def test_packs_when_asked(large):
    plain = get(large)
    assert "content-encoding" not in plain.headers
    text = plain.raw.read(decode_content=False)
    assert len(text) == int(plain.headers["content-length"])
    packed = get(large, Accept_Encoding="br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip"
    data = packed.raw.read(decode_content=False)
    assert len(data) == int(packed.headers["content-length"]) < len(text)
    assert gzip.decompress(data) == text
    assert "Accept-Encoding" in packed.headers["vary"]
    if "etag" in plain.headers:
        assert (packed.headers["etag"] ==
                plain.headers["etag"][:-1] + '-gzip"')


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0",
                                      "gzip; q=0.000", "*;q=0", "gzipped",
                                      "gzip;q=0, *"])
def test_does_not_pack_otherwise(large, accepted):
    assert "content-encoding" not in get(
        large, Accept_Encoding=accepted).headers


@pytest.mark.parametrize("accepted", ["gzip", "*", "GZIP", "br,gzip",
                                      "gzip;q=0.001", "*;q=0, gzip"])
def test_packs_for_all_who_accept(large, accepted):
    answer = get(large, Accept_Encoding=accepted)
    assert answer.headers["content-encoding"] == "gzip"


def test_etag_comes_back(large):
    for encoding in ("identity", "gzip"):
        first = get(large, Accept_Encoding=encoding)
        if "etag" not in first.headers:
            pytest.skip("this answer has no ETag")
        again = get(large, Accept_Encoding=encoding,
                    If_None_Match=first.headers["etag"])
        assert again.status_code == 304
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-length" not in again.headers
        assert "content-type" not in again.headers


def test_head_says_what_get_would(large):
    for encoding in ("identity", "gzip"):
        wanted = {"Accept-Encoding": encoding}
        whole = get(large, **wanted)
        head = requests.head(large, headers=wanted)
        assert head.status_code == 200
        assert head.content == b""
        for name in ("content-length", "content-type", "etag", "vary",
                     "cache-control", "content-encoding"):
            assert head.headers.get(name) == whole.headers.get(name)


def test_no_cors_unless_configured(server):
    answer = get(server.url + "/livez", Origin=ORIGIN)
    assert not [name for name in answer.headers
                if name.lower().startswith("access-control")]


def test_cors(make_service):
    service = make_service(
        DUDAO_CORS_ORIGINS="https://a.example " + ORIGIN).start()
    answer = get(service.url + "/livez", Origin=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    for origin in ("https://web.example.evil", "https://web", "null",
                   "https://a.example https://web.example"):
        answer = get(service.url + "/livez", Origin=origin)
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]

    ask = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST",
           "Access-Control-Request-Headers": "authorization, if-match"}
    answer = requests.options(service.url + "/v1/auth/login", headers=ask)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "If-Match" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"
    ask["Origin"] = "https://evil.example"
    answer = requests.options(service.url + "/v1/auth/login", headers=ask)
    assert "access-control-allow-methods" not in answer.headers


def test_refusals_say_who_they_are(server):
    answer = get(server.url + "/nowhere", X_Request_Id="reply-test-0001",
                 Accept_Language="en")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert answer.headers["x-request-id"] == "reply-test-0001"
    assert answer.json()["request_id"] == "reply-test-0001"
    for name in ("server", "date", "cache-control", "vary",
                 "x-content-type-options"):
        assert name in answer.headers
