"""Says whether a password fits a SCRAM verifier as PostgreSQL keeps it."""
import base64
import hashlib
import hmac
import json
import sys
import unicodedata


def fits(password, verifier):
    # RFC 5803: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey
    mechanism, _, rest = verifier.partition("$")
    if mechanism != "SCRAM-SHA-256":
        return False
    costs, _, keys = rest.partition("$")
    iterations, _, salt = costs.partition(":")
    prepared = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", prepared, base64.b64decode(salt), int(iterations))
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    stored = base64.b64encode(hashlib.sha256(client).digest()).decode()
    return hmac.compare_digest(stored, keys.partition(":")[0])


asked = json.load(sys.stdin)
print("same" if fits(asked["password"], asked["verifier"]) else "other")
