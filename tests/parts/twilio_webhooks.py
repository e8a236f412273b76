"""Signs callbacks with Twilio's own SDK and posts them, as Twilio would through a proxy that keeps its own address.

Each line of standard input is a request: {"to", "public", "path", "fields": [[name, value], …], "secret", "key"?,
"spoil"?}. It is signed for `public` + `path` and posted to `to` + `path`. Each line of the output: {"status", "body"}.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from twilio.request_validator import HMAC_SHA256, SIGNATURE_SETTINGS_HEADER, RequestValidator


class Fields(dict):
    """Fields that may repeat, as Flask hands them to the SDK."""

    def __init__(self, pairs):
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getall(self, name):
        return self[name]


for line in sys.stdin:
    asked = json.loads(line)
    fields = [tuple(pair) for pair in asked["fields"]]
    algorithm = HMAC_SHA256 if asked.get("key") else None
    validator = RequestValidator(asked["secret"])
    signature = validator.compute_signature(asked["public"] + asked["path"], Fields(fields), algorithm)
    if asked.get("spoil"):
        fields.append(("Spoilt", "1"))
    headers = {"X-Twilio-Signature": signature, "Host": "somewhere-else.test"}
    if asked.get("key"):
        headers[SIGNATURE_SETTINGS_HEADER] = f"key={asked['key']},algorithm={HMAC_SHA256}"
    body = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(asked["to"] + asked["path"], body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        told = {"status": error.code, "body": error.read().decode()}
    print(json.dumps(told), flush=True)
