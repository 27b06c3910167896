"""A server of remote desktops as far as NLA, for the tests of Kerberos: it negotiates
(MS-RDPBCGR 1.3.1.1), speaks TLS and CredSSP (MS-CSSP), and takes a ticket by SPNEGO and
user-to-user Kerberos, as Windows does. Every key, ticket and cipher is the work of MIT's
library (libkrb5), called as it is. `nla_kerberos.py CHAIN KEY KEYTAB PRINCIPAL WAY` prints
`port N`, then what it saw, a line each. WAY is `kerberos`; `ntlm` names NTLM as what it takes;
`deaf` hangs up at the first token; `stranger` proves another certificate than it showed.
Its libkrb5 reads KRB5_CONFIG.
"""

import ctypes
import hashlib
import socket
import ssl
import subprocess
import sys
import traceback
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_uint, c_void_p

CHAIN, KEY, KEYTAB, PRINCIPAL, WAY = sys.argv[1:6]

K5 = ctypes.CDLL("libkrb5.so.3")
MAGIC = c_int32


class Data(ctypes.Structure):
    _fields_ = [("magic", MAGIC), ("length", c_uint), ("data", c_void_p)]

    @staticmethod
    def of(raw):
        data = Data(0, len(raw), 0)
        data.keep = ctypes.create_string_buffer(raw, max(len(raw), 1))
        data.data = ctypes.addressof(data.keep)
        return data

    def raw(self):
        return ctypes.string_at(self.data, self.length)


class Keyblock(ctypes.Structure):
    _fields_ = [("magic", MAGIC), ("enctype", c_int32), ("length", c_uint), ("contents", c_void_p)]


class EncData(ctypes.Structure):
    _fields_ = [("magic", MAGIC), ("enctype", c_int32), ("kvno", c_uint), ("ciphertext", Data)]


class Checksum(ctypes.Structure):
    _fields_ = [("magic", MAGIC), ("kind", c_int32), ("length", c_uint), ("contents", c_void_p)]


class Times(ctypes.Structure):
    _fields_ = [(name, c_int32) for name in ("auth", "start", "end", "renew")]


class Creds(ctypes.Structure):
    _fields_ = [
        ("magic", MAGIC), ("client", c_void_p), ("server", c_void_p), ("keyblock", Keyblock),
        ("times", Times), ("is_skey", c_uint), ("flags", c_int32), ("addresses", c_void_p),
        ("ticket", Data), ("second_ticket", Data), ("authdata", c_void_p),
    ]


class Failed(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


CONTEXT = c_void_p()
K5.krb5_get_error_message.restype = c_char_p
K5.krb5_get_error_message.argtypes = [c_void_p, c_int32]


def call(name, *args):
    code = getattr(K5, name)(CONTEXT, *args)
    if code:
        said = K5.krb5_get_error_message(CONTEXT, code)
        say(f"{name}: {said.decode()}")
        raise Failed(code)


def say(text):
    print(text, flush=True)


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + body


def element(raw):
    """Tag, contents, rest."""
    size, at = raw[1], 2
    if size & 0x80:
        at += size & 0x7F
        size = int.from_bytes(raw[2:at], "big")
    return raw[0], raw[at:at + size], raw[at + size:]


def fields(raw):
    """The fields of a SEQUENCE, by their tags."""
    out, rest = {}, element(raw)[1]
    while rest:
        tag, body, rest = element(rest)
        out[tag] = body
    return out


MS_KRB5 = bytes.fromhex("06092a864882f712010202")
KRB5 = bytes.fromhex("06092a864886f712010202")
U2U = bytes.fromhex("060a2a864886f71201020203")
NTLM = bytes.fromhex("060a2b06010401823702020a")


def token(kind, body):
    return der(0x60, U2U, kind, body)


def inside(raw, kind):
    """What a token of Kerberos holds, of that kind."""
    tag, body, _ = element(raw)
    mechanism, rest = body[:2 + body[1]], body[2 + body[1]:]
    assert tag == 0x60 and mechanism in (U2U, KRB5), raw.hex()
    assert rest[:2] == kind, rest[:2].hex()
    return rest[2:]


def answer(state, mechanism=None, body=None, mic=None):
    """NegTokenResp (RFC 4178)."""
    parts = [der(0xA0, bytes([0x0A, 1, state]))]
    if mechanism:
        parts.append(der(0xA1, mechanism))
    if body:
        parts.append(der(0xA2, der(0x04, body)))
    if mic:
        parts.append(der(0xA3, der(0x04, mic)))
    return der(0xA1, der(0x30, *parts))


class Session:
    """A context of Kerberos, user to user, as its acceptor."""

    def __init__(self):
        self.auth = c_void_p()
        self.creds = Creds()
        self.key = POINTER(Keyblock)()
        self.sequence = 0

    def own_ticket(self):
        principal, keytab = c_void_p(), c_void_p()
        call("krb5_parse_name", PRINCIPAL.encode(), byref(principal))
        call("krb5_kt_resolve", KEYTAB.encode(), byref(keytab))
        call("krb5_get_init_creds_keytab", byref(self.creds), principal, keytab, 0, None, None)
        return self.creds.ticket.raw()

    def accept(self, request):
        call("krb5_auth_con_init", byref(self.auth))
        call("krb5_auth_con_setflags", self.auth, c_int32(0x4 | 0x20))
        call("krb5_auth_con_setuseruserkey", self.auth, byref(self.creds.keyblock))
        options, ticket, data = c_int32(), c_void_p(), Data.of(request)
        call("krb5_rd_req", byref(self.auth), byref(data), None, None, byref(options), byref(ticket))
        # The client's name, from what only the KDC can have written.
        class Ticket(ctypes.Structure):
            _fields_ = [("magic", MAGIC), ("server", c_void_p), ("enc_part", EncData),
                        ("enc_part2", c_void_p)]

        class Part(ctypes.Structure):
            _fields_ = [("magic", MAGIC), ("flags", c_int32), ("session", c_void_p),
                        ("client", c_void_p)]

        known = ctypes.cast(ticket, POINTER(Ticket)).contents
        part = ctypes.cast(known.enc_part2, POINTER(Part)).contents
        names = []
        for principal in (part.client, known.server):
            name = c_char_p()
            call("krb5_unparse_name", c_void_p(principal), byref(name))
            names.append(name.value.decode())
        say(f"ticket of {names[0]} for {names[1]}")
        reply = Data()
        call("krb5_mk_rep", self.auth, byref(reply))
        call("krb5_auth_con_getsendsubkey", self.auth, byref(self.key))
        sequence = c_int32()
        call("krb5_auth_con_getlocalseqnumber", self.auth, byref(sequence))
        self.sequence = sequence.value & 0xFFFFFFFF
        return reply.raw()

    def mic(self, text):
        header = b"\x04\x04\x05" + b"\xff" * 5 + self.sequence.to_bytes(8, "big")
        made, data = Checksum(), Data.of(text + header)
        call("krb5_c_make_checksum", 0, self.key, 23, byref(data), byref(made))
        return header + ctypes.string_at(made.contents, made.length)

    def check_mic(self, text, mic):
        header, value = mic[:16], mic[16:]
        assert header[:2] == b"\x04\x04" and header[2] & 3 == 0, header.hex()
        keep = ctypes.create_string_buffer(value, len(value))
        kind = {17: 15, 18: 16}[self.key.contents.enctype]
        given = Checksum(0, kind, len(value), ctypes.addressof(keep))
        valid, data = c_uint(), Data.of(text + header)
        call("krb5_c_verify_checksum", self.key, 25, byref(data), byref(given), byref(valid))
        assert valid.value, "the client's MIC"
        say("mic is right")

    def wrap(self, text):
        head = b"\x05\x04\x07\xff\x00\x00\x00\x00" + self.sequence.to_bytes(8, "big")
        self.sequence += 1
        size, data = ctypes.c_size_t(), Data.of(text + head)
        call("krb5_c_encrypt_length", self.key.contents.enctype, ctypes.c_size_t(len(text) + 16),
             byref(size))
        kept = Data.of(bytes(size.value))
        out = EncData(0, 0, 0, kept)
        call("krb5_c_encrypt", self.key, 22, None, byref(data), byref(out))
        raw, turn = out.ciphertext.raw(), 28
        return head[:6] + turn.to_bytes(2, "big") + head[8:] + raw[-turn:] + raw[:-turn]

    def unwrap(self, raw):
        head, body = raw[:16], raw[16:]
        assert head[:2] == b"\x05\x04" and head[2] & 3 == 2, head.hex()
        extra, turn = int.from_bytes(head[4:6], "big"), int.from_bytes(head[6:8], "big")
        turn = (turn + extra) % len(body)
        body = body[turn:] + body[:turn]
        # What a structure points to lives as long as what it was copied from.
        kept, out = Data.of(body), Data.of(bytes(len(body)))
        given = EncData(0, self.key.contents.enctype, 0, kept)
        call("krb5_c_decrypt", self.key, 24, None, byref(given), byref(out))
        text = out.raw()
        text, copy = text[:len(text) - 16 - extra], text[-16:]
        assert copy[:6] == head[:6] and copy[8:] == head[8:], "the header inside"
        return text


def read(stream, size):
    raw = b""
    while len(raw) < size:
        more = stream.recv(size - len(raw))
        if not more:
            raise EOFError
        raw += more
    return raw


def request(stream):
    """A TSRequest's fields."""
    head = read(stream, 2)
    if head[1] & 0x80:
        head += read(stream, head[1] & 0x7F)
        size = int.from_bytes(head[2:], "big")
    else:
        size = head[1]
    return fields(head + read(stream, size))


def nego(found):
    """The token of a TSRequest."""
    items = element(element(found[0xA1])[1])[1]
    return element(element(items)[1])[1]


def send(stream, *parts):
    stream.sendall(der(0x30, der(0xA0, b"\x02\x01\x06"), *parts))


def send_token(stream, body, *parts):
    send(stream, der(0xA1, der(0x30, der(0x30, der(0xA0, der(0x04, body))))), *parts)


def public_key():
    """The key of the certificate, as CredSSP means it (MS-CSSP 3.1.5)."""
    pem = subprocess.run(["openssl", "x509", "-in", CHAIN, "-noout", "-pubkey"],
                         stdout=subprocess.PIPE, check=True).stdout
    raw = ssl.PEM_cert_to_DER_cert(pem.decode().strip().replace("PUBLIC KEY", "CERTIFICATE"))
    bits = element(element(element(raw)[1])[2])[1]
    return bits[1:]


def serve(raw):
    head = read(raw, 4)
    asked = read(raw, int.from_bytes(head[2:], "big") - 4)
    assert asked[-8] == 1, asked.hex()
    wants = int.from_bytes(asked[-4:], "little")
    assert wants & 2, "NLA is wanted"
    raw.sendall(bytes.fromhex("030000130ed000001234000200080002000000"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CHAIN, KEY)
    with context.wrap_socket(raw, server_side=True) as stream:
        log_in(stream)


def log_in(stream):
    first = nego(request(stream))
    say("first token " + ("ntlm" if b"NTLMSSP\0" in first else "spnego"))
    if first.startswith(b"NTLMSSP\0") or WAY == "deaf":
        return
    outer = element(first)[1]
    start = fields(element(outer[2 + outer[1]:])[1])
    offered = element(start[0xA0])[1]
    say("offers ntlm" if NTLM in offered else "offers kerberos alone")
    if WAY == "ntlm":
        send_token(stream, answer(1, NTLM))
        request(stream)
        return
    inside(element(start[0xA2])[1], b"\x04\x00")
    session = Session()
    ticket = session.own_ticket()
    reply = der(0x30, der(0xA0, b"\x02\x01\x05"), der(0xA1, b"\x02\x01\x11"), der(0xA2, ticket))
    send_token(stream, answer(1, MS_KRB5, token(b"\x04\x01", reply)))
    second = fields(element(nego(request(stream)))[1])
    try:
        proof = session.accept(inside(element(second[0xA2])[1], b"\x01\x00"))
    except Failed as failed:
        refuse(stream, failed.code)
        return
    mechanisms = start[0xA0]
    send_token(stream, answer(0, None, token(b"\x02\x00", proof), session.mic(mechanisms)))
    third = request(stream)
    if 0xA1 in third:
        said = fields(element(nego(third))[1])
        session.check_mic(mechanisms, element(said[0xA3])[1])
    nonce, key = element(third[0xA5])[1], public_key()
    bound = hashlib.sha256(b"CredSSP Client-To-Server Binding Hash\0" + nonce + key).digest()
    assert session.unwrap(element(third[0xA3])[1]) == bound, "the key of the certificate"
    say("key is right")
    if WAY == "stranger":
        key = key[:-1] + bytes([key[-1] ^ 1])
    bound = hashlib.sha256(b"CredSSP Server-To-Client Binding Hash\0" + nonce + key).digest()
    send(stream, der(0xA3, der(0x04, session.wrap(bound))))
    credentials = fields(session.unwrap(element(request(stream)[0xA2])[1]))
    given = fields(element(credentials[0xA1])[1])
    words = [element(given[tag])[1].decode("utf-16-le") for tag in (0xA0, 0xA1, 0xA2)]
    digest = hashlib.sha256(words[2].encode()).hexdigest()
    say(f"given {words[0]}|{words[1]}|{digest}")
    while stream.recv(4096):
        pass


def refuse(stream, code):
    """The error of Kerberos in place of a proof."""
    protocol = (code + 1765328384) & 0xFF
    principal, message = c_void_p(), Data()
    call("krb5_parse_name", PRINCIPAL.encode(), byref(principal))

    class Error(ctypes.Structure):
        _fields_ = [("magic", MAGIC), ("ctime", c_int32), ("cusec", c_int32), ("susec", c_int32),
                    ("stime", c_int32), ("error", c_uint), ("client", c_void_p),
                    ("server", c_void_p), ("text", Data), ("e_data", Data)]

    error = Error(error=protocol, server=principal)
    now, micro = c_int32(), c_int32()
    call("krb5_us_timeofday", byref(now), byref(micro))
    error.stime, error.susec = now.value, micro.value
    call("krb5_mk_error", byref(error), byref(message))
    send_token(stream, answer(2, None, token(b"\x03\x00", message.raw())))
    say(f"refused with {protocol}")


def main():
    code = K5.krb5_init_context(byref(CONTEXT))
    assert code == 0, code
    listener = socket.create_server(("127.0.0.1", 0))
    say(f"port {listener.getsockname()[1]}")
    while True:
        raw, _ = listener.accept()
        try:
            serve(raw)
        except (EOFError, OSError):
            pass
        except Failed:
            pass
        except Exception:
            say(traceback.format_exc())
        say("end")


main()
