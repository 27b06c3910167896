"""Login pages of a small device, for tests: python3 site.py CERT KEY (or - -) SEED.
Tells on standard output what the browser did, one line for each."""
import base64, hashlib, hmac, http.server, json, ssl, struct, sys, time, urllib.parse

CERT, KEY, SEED = sys.argv[1:4]
USER, PASSWORD = "admin", "PLANTE-password-9f41c7d2"

def tell(*words):
    print(*words, flush=True)

def codes():
    now = int(time.time()) // 30
    for step in (now - 1, now, now + 1):
        digest = hmac.new(bytes.fromhex(SEED), struct.pack(">Q", step), hashlib.sha1).digest()
        at = digest[19] & 15
        yield "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000)

# Made by a script after a while; its button wakes up only for what a person does, and
# what a script puts into a field counts for nothing.
FORM = """<!doctype html><title>Device</title><div id=app></div><script>
setTimeout(() => {
  app.innerHTML = '<form method=post action=/login><input id=u name=user><input id=p type=password name=pass>' +
    '<button id=b disabled>Log in</button></form>';
  let real = 0;
  for (const f of [u, p]) f.addEventListener('input', (e) => { if (e.isTrusted) real++; b.disabled = real < 2; });
}, 300);
</script>"""
# The user first, then the password, on one page that a script writes.
TWO = """<!doctype html><title>Two</title><form id=f><label>Email or username <input id=u name=user></label><button>Next</button></form><script>
f.onsubmit = (e) => { e.preventDefault(); const user = u.value;
  setTimeout(() => { f.innerHTML = '<input id=p type=password name=pass><button>Sign in</button>'; f.onsubmit = null;
    f.method = 'post'; f.action = '/login?user=' + user; }, 200); };
</script>"""
# No form, no reload, an answer written beside it.
SCRIPTED = """<!doctype html><title>Scripted</title><input id=x placeholder=Username><input id=y type=password><div role=button id=z>Sign in</div><p id=said></p><script>
z.onclick = async () => { const r = await fetch('/login', {method: 'POST', body: new URLSearchParams({user: x.value, pass: y.value})});
  if (r.url.endsWith('/home')) location = '/home'; else said.textContent = 'Wrong password'; };
</script>"""
CODE = """<!doctype html><title>Code</title><form method=post action=/code><input id=c name=otp autocomplete=one-time-code inputmode=numeric maxlength=6><button>Verify</button></form>"""
# An old device: the form in a frame.
FRAMES = """<!doctype html><title>Frames</title><iframe src=/plain width=500 height=300></iframe>"""
PLAIN = """<!doctype html><form method=post action=/login target=_top><input name=user><input type=password name=pass><input type=submit value=Login></form>"""
ODD = """<!doctype html><title>Odd</title><form method=post action=/login><input id=decoy name=user0><input type=password name=pass0 id=pdecoy>
<input id=who name=user><input type=password name=pass id=word><span id=go onclick="event.isTrusted && this.closest('form').submit()">go</span></form>"""

# What is named stands in for functions of the document and of the form.
NAMED = """<!doctype html><title>Named</title><img name=querySelectorAll src=data:,><form method=post action=/login><input name=user><input type=password name=pass>
<input name=contains type=hidden><input type=submit value=Login></form><p>Help</p>"""
# One whose script never ends.
BUSY = """<!doctype html><title>Busy</title><form method=post action=/login><input name=user><input type=password name=pass></form><script>for (;;);</script>"""

class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def give(self, body, status=200, **headers):
        body = body.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def home(self):
        self.give("<!doctype html><title>Welcome</title><h1>Welcome admin</h1>")
        tell("welcome")

    def do_GET(self):
        path, _, query = self.path.partition("?")
        pages = {"/form": FORM, "/two": TWO, "/totp": FORM, "/scripted": SCRIPTED, "/frames": FRAMES, "/plain": PLAIN, "/odd": ODD, "/named": NAMED, "/busy": BUSY}
        if path in pages:
            cookie = {"Set_Cookie": "then=%s; Path=/" % ("code" if path == "/totp" else "home")}
            self.give(pages[path], **cookie)
            tell("shown", path)
        elif path == "/away":
            self.give("", 302, Location=urllib.parse.unquote(query))
        elif path == "/home":
            self.home() if "who=admin" in self.headers.get("cookie", "") else self.give("no", 403)
        elif path == "/code":
            self.give(CODE)
            tell("shown code")
        elif path in ("/basic", "/digest"):
            self.asked(path[1:])
        else:
            self.give("", 404)

    def asked(self, kind):
        given = self.headers.get("authorization", "")
        if kind == "basic" and given.startswith("Basic "):
            user, _, password = base64.b64decode(given[6:]).decode().partition(":")
            good = (user, password) == (USER, PASSWORD)
        elif kind == "digest" and given.startswith("Digest "):
            part = {k.strip(): v.strip('"') for k, _, v in (w.strip().partition("=") for w in given[7:].split(","))}
            md5 = lambda *words: hashlib.md5(":".join(words).encode()).hexdigest()
            want = md5(md5(USER, "device", PASSWORD), part["nonce"], part["nc"], part["cnonce"], part["qop"], md5("GET", "/digest"))
            good = hmac.compare_digest(want, part["response"])
        else:
            good = None
        if good:
            tell("http", kind, "ok")
            self.home()
            return
        if good is False:
            tell("http", kind, "bad")
        ask = 'Basic realm="device"' if kind == "basic" else 'Digest realm="device", nonce="n1", qop="auth", algorithm=MD5'
        self.give("<h1>Unauthorized</h1>", 401, WWW_Authenticate=ask)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        path, _, query = self.path.partition("?")
        form = dict(urllib.parse.parse_qsl(query + "&" + body))
        cookie = self.headers.get("cookie", "")
        if path == "/login":
            good = (form.get("user"), form.get("pass")) == (USER, PASSWORD)
            tell("login", form.get("user", ""), "ok" if good else "bad")
            if not good:
                self.give("", 303, Location="/form")
            elif "then=code" in cookie:
                self.give("", 303, Location="/code", Set_Cookie="half=admin; Path=/; HttpOnly")
            else:
                self.give("", 303, Location="/home", Set_Cookie="who=admin; Path=/; HttpOnly")
        elif path == "/code":
            good = form.get("otp") in codes() and "half=admin" in cookie
            tell("code", "ok" if good else "bad")
            if good:
                self.give("", 303, Location="/home", Set_Cookie="who=admin; Path=/; HttpOnly")
            else:
                self.give("", 303, Location="/code")

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        # A browser that refuses a certificate hangs up.
        pass

server = Server(("127.0.0.1", 0), Page)
if CERT != "-":
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERT, KEY)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
tell("port", server.server_address[1])
server.serve_forever()
