"""What stands around a value in the output of tools: pairs of what comes before and after."""

RAW = [
    "PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/home/build\nAPI_TOKEN=|\nLANG=C.UTF-8\n",
    "> GET /v1/projects HTTP/1.1\r\n> Host: api.example.com\r\n> User-Agent: curl/8.5.0\r\n> Authorization: Bearer |\r\n> Accept: */*\r\n> \r\n< HTTP/1.1 401 Unauthorized\r\n",
    "Traceback (most recent call last):\n  File \"deploy.py\", line 31, in <module>\n    client.login(token)\nValueError: refused token |\n",
    "Error: login failed for |\n    at Client.login (/app/src/client.js:42:11)\n    at async main (/app/src/index.js:9:3)\n",
    "2026-03-01T12:00:07.113Z \x1b[32mINFO\x1b[0m step 4/9: using | from the environment\n2026-03-01T12:00:07.201Z \x1b[32mINFO\x1b[0m step 5/9\n",
    "\x1b[2K\rdownloading  10%\x1b[2K\rdownloading  55% token=|\x1b[2K\rdownloading 100%\r\ndone\n",
    "[database]\nhost = db.internal\npassword = |\npool = 5\n",
    "diff --git a/.env b/.env\nindex 83db48f..bf2a3c1 100644\n--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n-TOKEN=old\n+TOKEN=|\n MODE=fast\n",
    "On Tuesday the build said:\n> it uses | now\n> and that works\n\nThanks\n",
    "machine git.example.com\n  login build\n  password |\nmachine other.example.com\n  login nobody\n",
    "//registry.example.com/:_authToken=|\nalways-auth=true\n",
    "id,name,token\n1,alpha,none\n2,beta,|\n3,gamma,none\n",
    "12:00:01.442104 run-command.c:667       trace: run_command: git push https://build:|@git.example.com/shop.git main\n",
    "|",
    "|\n",
    "level=info msg=\"connected\" token=| attempt=1\n",
    "services:\n  web:\n    image: shop/web:1.4.2\n    environment:\n      - TOKEN=|\n      - MODE=fast\n",
    "\x1b]0;build\x07\x1b[1;33mwarning\x1b[0m: token |\x1b[0m is deprecated\n",
    "jdbc:postgresql://db.internal:5432/shop?user=service&password=|\n",
    "Server=tcp:sql.internal,1433;User ID=service;Password=|;Encrypt=True;\n",
]

# Inside of a JSON text in quotes.
JSON = [
    '{"level":"info","ts":1760000012.114,"msg":"login","token":"|","attempt":1}\n',
    '[\n  {\n    "Id": "0f4c2a",\n    "Config": {\n      "Hostname": "web",\n      "Env": [\n        "PATH=/usr/bin",\n        "TOKEN=|",\n        "MODE=fast"\n      ]\n    }\n  }\n]\n',
    '{"errors":[{"message":"invalid credentials: |","code":401}]}',
    '{"format_version":"1.2","planned_values":{"outputs":{"token":{"sensitive":false,"value":"|"}}}}\n',
]

# Inside of a string of a source or a debugger.
CODE = [
    'const token = "|";\n',
    'conf := &Config{Token: "|", Retries: 3}\n',
    "  File \"deploy.py\", line 9, in main\n    connect('|')\n",
    "{ host: 'db', password: '|', port: 5432 }\n",
    'static const char key[] = "|";\n',
]

URL = [
    "GET /callback?code=1&token=|&state=7 HTTP/1.1\r\nHost: app.example.com\r\n\r\n",
    "127.0.0.1 - - [01/Mar/2026:12:00:07 +0000] \"POST /login?password=| HTTP/1.1\" 302 0\n",
    "fetch: https://service:|@git.example.com/shop.git\n",
    "user=build&password=|&remember=on",
    "Location: https://app.example.com/done#access_token=|&token_type=bearer\r\n",
]

SHELL = [
    "+ curl -H 'Authorization: Bearer |' https://api.example.com/\n+ exit 0\n",
    "declare -x TOKEN=|\ndeclare -x USER=build\n",
    "$ export TOKEN=|\n$ make deploy\n",
    "INSERT INTO accounts (name, password) VALUES ('service', '|');\n",
    "PS C:\\build> $token = |\nPS C:\\build> exit\n",
]

XML = [
    '<?xml version="1.0"?>\n<settings><server><id>main</id><password>|</password></server></settings>\n',
    '<!doctype html><html><body><p class="error">Wrong token: |</p></body></html>\n',
    '<input type="hidden" name="token" value="|">\n',
    '<add name="Main" connectionString="Server=db;Password=|;Pooling=true" />\n',
]

BLOB = [
    "data:\n  token: |\nkind: Secret\n",
    "> Authorization: Basic |\r\n> Accept: */*\r\n",
    '{"auths":{"registry.example.com":{"auth":"|"}}}\n',
    "payload=| size=122\n",
    "|",
    "2026-03-01T12:00:07Z body | (end)\n",
    "Set-Cookie: session=|; Path=/; HttpOnly\r\n",
]


def put(template, text):
    """The text in its surroundings."""
    before, after = template.split("|")
    return before + text + after
