"""Made-up values of the kinds that people keep."""

import base64
import json
import string

LETTERS = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
SIGNS = "!#$%&()*+,-./:;<=>?@[]^_{|}~"


class Maker:
    """Makes values from one seeded source of chance."""

    def __init__(self, chance):
        self.chance = chance

    def of(self, alphabet, count):
        """Letters with at least three digits among them."""
        out = [self.chance.choice(alphabet) for _ in range(count)]
        digits = [c for c in alphabet if c.isdigit()]
        if digits:
            for at in self.chance.sample(range(2, count), min(3, count // 4)):
                out[at] = self.chance.choice(digits)
        return "".join(out)

    def github(self):
        return self.chance.choice(["ghp_", "gho_", "ghs_"]) + self.of(LETTERS, 36)

    def fine_grained(self):
        return "github_pat_" + self.of(LETTERS, 22) + "_" + self.of(LETTERS, 59)

    def aws(self):
        body = list(self.of(LETTERS + "+/", 40))
        for at, sign in zip(self.chance.sample(range(4, 36), 4), "/+/+"):
            body[at] = sign
        return "".join(body)

    def stripe(self):
        return "sk_live_" + self.of(LETTERS, 24)

    def slack(self):
        digits = [self.of(string.digits, 12) for _ in range(2)]
        return f"xoxb-{digits[0]}-{digits[1]}-{self.of(LETTERS, 24)}"

    def model(self):
        return self.chance.choice(["sk-proj-", "sk-ant-api03-"]) + self.of(LETTERS + "-_", 46) + "A9"

    def npm(self):
        return "npm_" + self.of(LETTERS, 36)

    def gitlab(self):
        return "glpat-" + self.of(LETTERS, 20)

    def sendgrid(self):
        return "SG." + self.of(LETTERS, 22) + "." + self.of(LETTERS, 43)

    def uuid(self):
        return "-".join(self.of(HEX, count) for count in (8, 4, 4, 4, 12))

    def hexadecimal(self):
        return self.of(HEX, self.chance.choice([32, 40, 64]))

    def plain(self):
        return self.of(LETTERS, self.chance.choice([20, 24, 28, 32, 44]))

    def key(self):
        raw = bytes(self.chance.randrange(256) for _ in range(32))
        return base64.b64encode(raw).decode()

    def password(self, signs=SIGNS):
        """Letters, digits and signs, beginning and ending with a letter or digit."""
        body = list(self.of(LETTERS, self.chance.randrange(18, 27)))
        for at in range(2, len(body) - 2, 4):
            body[at] = self.chance.choice(signs)
        return "".join(body)

    def quoted(self):
        """A password with the signs that every language quotes."""
        body = self.of(LETTERS, 16)
        return f"{body[:4]}\"{body[4:7]}'{body[7:9]}<{body[9:11]}&{body[11:13]}>{body[13:]}"

    def shellish(self):
        body = self.of(LETTERS, 18)
        return f"{body[:4]}${body[4:7]}'{body[7:9]}!{body[9:12]}`{body[12:14]}\"{body[14:]}"

    def backslashed(self):
        body = self.of(string.digits + "KLMPQSTWXYZ", 18)
        return f"{body[:5]}\\{body[5:9]}/{body[9:13]}\\{body[13:]}"

    def urlish(self):
        body = self.of(LETTERS, 20)
        return f"{body[:5]}@{body[5:8]}/{body[8:11]}?{body[11:13]}#{body[13:15]}&{body[15:17]}={body[17:]}"

    def spaced(self):
        words = ["granite", "lantern", "orchard", "velvet", "harbor", "thimble", "saffron", "meadow"]
        chosen = self.chance.sample(words, 3)
        return " ".join([chosen[0], self.of(LOWER, 7), *chosen[1:], str(self.chance.randrange(10, 99))])

    def foreign(self):
        letters = self.chance.choice(["ÄöÜßéñ", "жЙцукй", "ñÇàèõü", "日本語鍵盤"])
        body = self.of(LETTERS, 17)
        return f"{body[:4]}{letters[0]}{letters[1]}{body[4:8]}{letters[2]}-{body[8:12]}{letters[3]}{body[12:]}"

    def jwt(self):
        def part(value):
            text = json.dumps(value, separators=(",", ":")).encode()
            return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

        header = part({"alg": "HS256", "typ": "JWT"})
        payload = part({"sub": self.of(LOWER, 12), "iat": 1760000000 + self.chance.randrange(10**6), "scope": "deploy"})
        return f"{header}.{payload}.{self.of(LETTERS + '-_', 42)}k"

    def dsn(self):
        scheme, port, name = self.chance.choice(
            [("postgres", 5432, "shop"), ("mysql", 3306, "orders"), ("amqp", 5672, "jobs"), ("mongodb", 27017, "cart")]
        )
        return f"{scheme}://service:{self.of(LETTERS, 24)}@db.internal:{port}/{name}"

    def pem(self, kind="EC PRIVATE KEY", count=121):
        raw = bytes(self.chance.randrange(256) for _ in range(count))
        body = base64.b64encode(raw).decode()
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"]) + "\n"

    def rsa(self):
        return self.pem("RSA PRIVATE KEY", 305)

    def account(self):
        """A service account: JSON with a key in it."""
        value = {
            "type": "service_account",
            "project_id": "shop-eu",
            "private_key_id": self.of(HEX, 40),
            "private_key": self.pem("PRIVATE KEY", 121),
            "client_email": "deploy@shop-eu.example.com",
        }
        return json.dumps(value, indent=2)


TOKENS = ["github", "aws", "stripe", "slack", "model", "npm", "gitlab", "sendgrid", "uuid", "hexadecimal", "plain", "key"]
SIGNED = ["password", "quoted", "shellish", "backslashed", "urlish"]
LINES = ["pem", "rsa", "account"]
