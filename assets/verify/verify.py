#!/usr/bin/env python3
"""Verify an audit bundle of Poterne. Python 3.8 or newer, nothing else needed.

    python3 verify.py BUNDLE.zip [--fingerprint XXXX-XXXX-...] [--lang fr|en]

Exit 0: everything fits. Exit 7: something does not. Exit 2: wrong use.
Without --fingerprint the bundle is only checked against the key inside it:
the origin is not proven. Take this program from a source you trust, not from
the bundle that you want to verify.
"""
import base64
import errno
import hashlib
import json
import re
import sys
import zipfile

FILES = {"VERIFY.txt", "verify.py", "verify.html", "vkey.txt", "checkpoint.txt", "audit.jsonl"}
MOST_FAULTS = 50
LANG = "en"


def say(fr, en):
    return fr if LANG == "fr" else en


HIDDEN = object()  # a row without "open"


class Fault(Exception):
    """One inconsistency, in words."""


# --- Ed25519 (RFC 8032), verification only -----------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover(text):
    """A point from its 32 bytes; None when there is none or it has two names."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT % P
        if (v * x * x - u) % P:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p = add(p, p)
        n >>= 1
    return q


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


BASE = recover((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key, message, signature):
    """Whether signature is one of key over message; weak keys are refused."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = recover(key), recover(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if same(times(8, a), (0, 1, 1, 0)) or same(times(8, r), (0, 1, 1, 0)):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(h, a)))


# --- hashes ------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text, length):
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Fault("base64")
    if len(data) != length or b64(data) != text:
        raise Fault("base64")
    return data


def commitment(name, salt, value):
    return sha256(b"\x02", name.encode(), b"\0", salt, value.encode())


class Tree:
    """Right edge of an RFC 6962 tree."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def append(self, leaf):
        rest = self.size
        while rest & 1:
            leaf = sha256(b"\1", self.peaks.pop(), leaf)
            rest >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256()
        root = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            root = sha256(b"\1", left, root)
        return root


def fingerprint(vault, root_pk):
    full = sha256(b"poterne/v1 fingerprint\0", bytes.fromhex(vault), root_pk)
    text = base64.b32encode(full[:16]).decode().rstrip("=")
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def key_id(name, pk):
    return sha256(name.encode(), b"\n\1", pk)[:4]


def statement(vault, who, role, pk, by, time):
    lines = ("poterne/v1 member", vault, who, role, b64(pk), by, time)
    return "".join(line + "\n" for line in lines).encode()


def body(vault, size, root):
    return ("poterne/%s\n%d\n%s\n" % (vault, size, b64(root))).encode()


# --- lines -------------------------------------------------------------------

WORD = re.compile(r"[a-z0-9_.-]+\Z")
ID = re.compile(r"[0-9a-f]{32}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{6}Z\Z", re.A)
ROLES = {"owner", "admin", "technician", "operator", "auditor"}
GENESIS = ["member", "pk", "root_pk", "sig", "vault"]
MEMBER = ["by", "id", "pk", "role", "sig"]
CHECKPOINT = ["by", "root", "sig", "size"]
MAY = {"member.invited", "member.joined", "member.changed", "member.removed",
       "member.factor-changed", "vault.recovered"}
MUST = {"vault.created", "member.invited", "member.joined", "member.removed", "log.checkpoint"}


def once(pairs):
    out = {}
    for name, value in pairs:
        if name in out:
            raise Fault("twice")
        out[name] = value
    return out


def parse(text):
    """A leaf, read strictly: printing it again gives the same text."""
    line = json.loads(text, object_pairs_hook=once)
    names = ["v", "seq", "t", "actor", "ev", "ok", "prev", "c"]
    if list(line) not in (names, names + ["p"]):
        raise Fault("names")
    if not text.isascii() or "\\" in text:
        raise Fault("text")
    if json.dumps(line, separators=(",", ":"), ensure_ascii=False) != text:
        raise Fault("form")
    good = (
        line["v"] == 1 and line["v"] is not True
        and type(line["seq"]) is int and 0 <= line["seq"] < 10**19
        and TIME.match(line["t"])
        and (line["actor"] is None or ID.match(line["actor"]))
        and WORD.match(line["ev"])
        and type(line["ok"]) is bool
        and type(line["c"]) is dict and list(line["c"]) == sorted(line["c"])
        and all(WORD.match(name) for name in line["c"])
    )
    if not good:
        raise Fault("line")
    unb64(line["prev"], 32)
    for value in line["c"].values():
        unb64(value, 32)
    if "p" in line:
        facts(line["p"])
    return line


def facts(p):
    if list(p) not in (GENESIS, MEMBER, CHECKPOINT) or any(type(v) is not str for v in p.values()):
        raise Fault("facts")
    for name, value in p.items():
        if name in ("by", "id", "member", "vault") and not ID.match(value):
            raise Fault("id")
        if name in ("pk", "root_pk", "root"):
            unb64(value, 32)
    unb64(p["sig"], 68 if "size" in p else 64)
    if "role" in p and p["role"] not in ROLES | {"removed"}:
        raise Fault("role")
    if "size" in p and not re.match(r"(0|[1-9][0-9]{0,18})\Z", p["size"]):
        raise Fault("size")


# --- the whole log -----------------------------------------------------------


class Log:
    def __init__(self):
        self.tree, self.last, self.next, self.broken = Tree(), bytes(32), 0, False
        self.vault = self.root_pk = None
        self.members, self.used = {}, set()
        self.faults, self.shown, self.disclosed, self.redacted = [], 0, 0, 0

    def fault(self, fr, en):
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(say(fr, en))

    def accept(self, seq, digest):
        self.tree.append(digest)
        self.last, self.next = digest, seq + 1

    def place(self, seq, chained):
        """Whether a line of that number may stand here; says so if not."""
        here = self.next
        if seq != here and chained:
            self.fault("La ligne %d a été modifiée." % here, "Line %d was edited." % here)
        elif seq == here + 1:
            self.fault("La ligne %d manque." % here, "Line %d is missing." % here)
        elif seq > here:
            self.fault("Les lignes %d à %d manquent." % (here, seq - 1),
                       "Lines %d to %d are missing." % (here, seq - 1))
        elif seq < here:
            self.broken = True
            self.fault("À la place de la ligne %d se trouve la ligne %d." % (here, seq),
                       "In the place of line %d stands line %d." % (here, seq))
            return False
        elif not chained:
            self.fault("La ligne %d a été modifiée." % max(here - 1, 0),
                       "Line %d was edited." % max(here - 1, 0))
        else:
            return True
        self.broken = True
        return True

    def row(self, text):
        here = self.next
        try:
            row = json.loads(text, object_pairs_hook=once)
            if type(row) is not dict:
                raise Fault("row")
            if json.dumps(row, separators=(",", ":"), ensure_ascii=False) != text:
                raise Fault("form")
            if list(row) == ["seq", "hash"]:
                if type(row["seq"]) is not int:
                    raise Fault("seq")
                if self.place(row["seq"], row["seq"] == here):
                    self.accept(row["seq"], unb64(row["hash"], 32))
                return
            if list(row) not in (["leaf"], ["leaf", "open"]):
                raise Fault("row")
            self.leaf(row["leaf"], row["open"] if "open" in row else HIDDEN)
        except (Fault, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.broken = True
            self.fault("La ligne %d n'est pas une ligne de journal valide." % here,
                       "Line %d is not a valid log line." % here)
            self.next = here + 1

    def leaf(self, text, opened):
        line = parse(text)
        digest = sha256(b"\0", text.encode())
        seq = line["seq"]
        if self.place(seq, line["prev"] == b64(self.last)):
            if seq == 0 and line["ev"] != "vault.created":
                self.fault("La première ligne ne crée pas de coffre.",
                           "The first line does not create a vault.")
            self.facts(line)
            here = seq if seq >= self.next else self.next
            self.accept(here, digest)
        if opened is HIDDEN:
            return
        if type(opened) is not dict or list(opened) != sorted(opened):
            raise Fault("order")
        self.shown += 1
        self.redacted += len(line["c"]) - len(opened)
        for name, value in opened.items():
            if list(value) != ["s", "v"]:
                raise Fault("open")
            self.disclosed += 1
            found = commitment(name, unb64(value["s"], 16), value["v"])
            if line["c"].get(name) != b64(found):
                self.fault("Valeur falsifiée : champ « %s » de la ligne %d." % (name, seq),
                           "Forged value: field \"%s\" of line %d." % (name, seq))

    def facts(self, line):
        event, p, seq = line["ev"], line.get("p"), line["seq"]
        kind = None if p is None else list(p)
        bad = ("La ligne %d ne porte pas la déclaration signée qu'elle doit porter." % seq,
               "Line %d does not carry the signed statement it must carry." % seq)
        forged = ("Signature fausse (ligne %d)." % seq, "Bad signature (line %d)." % seq)
        stranger = ("Signé par quelqu'un qui n'était pas membre (ligne %d)." % seq,
                    "Signed by somebody who was no member (line %d)." % seq)
        forbidden = ("Signé par un membre dont le rôle ne le permet pas (ligne %d)." % seq,
                     "Signed by a member whose role does not allow it (line %d)." % seq)
        if p is None:
            if event in MUST:
                self.fault(*bad)
            return
        if event == "vault.created" and kind == GENESIS:
            if seq != 0 or self.vault is not None:
                return self.fault(*bad)
            pk, root_pk = unb64(p["pk"], 32), unb64(p["root_pk"], 32)
            text = statement(p["vault"], p["member"], "owner", pk, p["member"], line["t"])
            if not signed(root_pk, text, unb64(p["sig"], 64)):
                return self.fault(*forged)
            self.vault, self.root_pk = p["vault"], root_pk
            self.used.add(text)
            self.members[p["member"]] = ("owner", pk, True)
            return
        if event == "log.checkpoint" and kind == CHECKPOINT:
            if self.vault is None or line["actor"] != p["by"] or p["size"] != str(seq):
                return self.fault(*bad)
            signer = self.members.get(p["by"])
            if signer is None or not signer[2]:
                return self.fault(*stranger)
            root = unb64(p["root"], 32)
            if not self.note(p["by"], signer[1], seq, root, unb64(p["sig"], 68)):
                return self.fault(*forged)
            if not self.broken and root != self.tree.root():
                self.fault("Les lignes ne sont pas celles qui ont été signées (ligne %d)." % seq,
                           "The lines are not those that were signed (line %d)." % seq)
            return
        if event not in MAY or kind != MEMBER or self.vault is None or line["actor"] != p["by"]:
            return self.fault(*bad)
        who, by, role, pk = p["id"], p["by"], p["role"], unb64(p["pk"], 32)
        before, signer = self.members.get(who), self.members.get(by)
        if signer is None or not (signer[2] or by == who):
            return self.fault(*stranger)
        text = statement(self.vault, who, role, pk, by, line["t"])
        if not signed(signer[1], text, unb64(p["sig"], 64)):
            return self.fault(*forged)
        same_key = before is not None and before[1] == pk
        own_key = by == who and before is not None and before[0] == role
        removed = role == "removed"
        sound = {
            "member.invited": not removed and by != who and (before is None or not before[2]),
            "member.joined": own_key and not before[2],
            "member.changed": not removed and same_key,
            "member.removed": removed and same_key,
        }.get(event, own_key and signer[2])
        if not sound:
            return self.fault(*bad)
        owners = role == "owner" or (before is not None and before[0] == "owner")
        allowed = signer[2] and (signer[0] == "owner" or (signer[0] == "admin" and not owners))
        if not own_key and not allowed:
            return self.fault(*forbidden)
        if text in self.used:
            return self.fault("La ligne %d réutilise une déclaration déjà employée." % seq,
                              "Line %d reuses a statement that was used before." % seq)
        self.used.add(text)
        if removed:
            del self.members[who]
        else:
            waits = event == "member.invited" or (event == "member.changed" and not before[2])
            self.members[who] = (role, pk, not waits)

    def note(self, by, pk, size, root, stamp):
        name = "poterne/%s/%s" % (self.vault, by)
        return stamp[:4] == key_id(name, pk) and signed(pk, body(self.vault, size, root), stamp[4:])

    def close(self, note):
        """The checkpoint over the whole log."""
        text, found, rest = note.partition("\n\n")
        lines = text.split("\n")
        unreadable = ("checkpoint.txt n'est pas un point de contrôle lisible.",
                      "checkpoint.txt is not a readable checkpoint.")
        try:
            if not found or len(lines) != 3 or not rest.endswith("\n"):
                raise Fault("note")
            size, root = int(lines[1]), unb64(lines[2], 32)
            if str(size) != lines[1] or not re.match(r"poterne/[0-9a-f]{32}\Z", lines[0]):
                raise Fault("note")
            signatures = []
            for line in rest[:-1].split("\n"):
                dash, name, stamp = line.split(" ")
                if dash != "\u2014":
                    raise Fault("note")
                prefix = lines[0] + "/"
                if not name.startswith(prefix) or not ID.match(name[len(prefix):]):
                    raise Fault("name")
                signatures.append((name[len(prefix):], unb64(stamp, 68)))
        except (Fault, ValueError):
            return self.fault(*unreadable)
        if lines[0] != "poterne/%s" % self.vault:
            return self.fault("Le point de contrôle est celui d'un autre journal.",
                              "The checkpoint is that of another log.")
        if self.next < size:
            return self.fault("La fin manque : %d lignes présentes, %d signées." % (self.next, size),
                              "The end is missing: %d lines present, %d signed." % (self.next, size))
        if self.next > size:
            return self.fault("Des lignes ont été ajoutées : %d présentes, %d signées." % (self.next, size),
                              "Lines were added: %d present, %d signed." % (self.next, size))
        if not self.broken and root != self.tree.root():
            return self.fault("Les lignes ne sont pas celles qui ont été signées (checkpoint.txt).",
                              "The lines are not those that were signed (checkpoint.txt).")
        for by, stamp in signatures:
            signer = self.members.get(by)
            if signer is None or not signer[2]:
                return self.fault("Signé par quelqu'un qui n'était pas membre (checkpoint.txt).",
                                  "Signed by somebody who was no member (checkpoint.txt).")
            if not self.note(by, signer[1], size, root, stamp):
                return self.fault("Signature fausse (checkpoint.txt).", "Bad signature (checkpoint.txt).")
            if signer[0] not in ("owner", "admin", "auditor"):
                return self.fault("Signé par un membre dont le rôle ne le permet pas (checkpoint.txt).",
                                  "Signed by a member whose role does not allow it (checkpoint.txt).")


def shape(path):
    """Refuses archives that two programs could read differently."""
    with zipfile.ZipFile(path) as bundle, open(path, "rb") as raw:
        names = [info.orig_filename for info in bundle.infolist()]
        for name in sorted(set(names)):
            if names.count(name) > 1:
                return say("Le paquet contient deux fois %s." % name, "The bundle holds %s twice." % name)
        for name in sorted(set(names) ^ FILES):
            if name in FILES:
                return say("Il manque %s au paquet." % name, "The bundle lacks %s." % name)
            return say("Le paquet contient un fichier de trop : %s." % name,
                       "The bundle holds a file too many: %s." % name)
        offset = 0
        for info in bundle.infolist():
            raw.seek(info.header_offset)
            head = raw.read(30)
            if info.header_offset != offset or info.flag_bits & 9 or info.comment:
                raise zipfile.BadZipFile
            size = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
            offset += 30 + size + info.compress_size
        raw.seek(-22, 2)
        ended = raw.read(4) == b"PK\5\6"
        if offset != bundle.start_dir or bundle.comment or not ended:
            raise zipfile.BadZipFile
    return None


def small(bundle, name):
    """A short file; no more of a long one than shows that it is wrong."""
    with bundle.open(name) as file:
        return file.read(64 * 1024)


def verify(path, expected):
    """The log with its faults."""
    log = Log()
    try:
        wrong = shape(path)
        if wrong:
            log.faults.append(wrong)
            return log
        with zipfile.ZipFile(path) as bundle:
            with bundle.open("audit.jsonl") as rows:
                while len(log.faults) < MOST_FAULTS:
                    text = rows.readline(16 * 1024 * 1024)
                    if not text:
                        break
                    if not text.endswith(b"\n"):
                        log.row("")
                        break
                    try:
                        log.row(text[:-1].decode("utf-8"))
                    except UnicodeDecodeError:
                        log.row("")
            for name in sorted(FILES - {"audit.jsonl", "vkey.txt", "checkpoint.txt"}):
                with bundle.open(name) as file:
                    most = 1024 * 1024
                    if len(file.read(most)) == most:
                        raise zipfile.BadZipFile
            if log.vault is None:
                log.fault("La première ligne ne crée pas de coffre.",
                          "The first line does not create a vault.")
                return log
            own = fingerprint(log.vault, log.root_pk)
            name = "poterne/" + log.vault
            vkey = "%s+%s+%s\nfingerprint %s\n" % (
                name, key_id(name, log.root_pk).hex(), b64(b"\1" + log.root_pk), own)
            if small(bundle, "vkey.txt") != vkey.encode():
                log.fault("vkey.txt ne contient pas la clé du coffre de ce journal.",
                          "vkey.txt does not hold the key of this log's vault.")
            log.close(small(bundle, "checkpoint.txt").decode("utf-8", "replace"))
            typed = re.sub(r"[\s-]", "", expected or "").upper()
            if expected is not None and typed != own.replace("-", ""):
                log.fault("Ce journal vient d'un autre coffre : son empreinte est %s." % own,
                          "This log comes from another vault: its fingerprint is %s." % own)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        # A place before the beginning of the file is one that the archive states.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        log.fault("Le fichier n'est pas un paquet entier : archive ZIP abîmée, tronquée ou modifiée.",
                  "The file is not a whole bundle: the ZIP archive is damaged, cut short or modified.")
    except Exception as error:  # zlib.error and its like: damaged content
        if type(error).__name__ != "error":
            raise
        log.fault("Le fichier est abîmé.", "The file is damaged.")
    return log


def main(args):
    global LANG
    path = expected = None
    while args:
        arg = args.pop(0)
        if arg == "--fingerprint" and args:
            expected = args.pop(0)
        elif arg == "--lang" and args and args[0] in ("fr", "en"):
            LANG = args.pop(0)
        elif path is None and not arg.startswith("-"):
            path = arg
        else:
            path = None
            break
    if path is None:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        log = verify(path, expected)
    except OSError as error:
        print(error, file=sys.stderr)
        return 4 if isinstance(error, FileNotFoundError) else 1
    if log.faults:
        for fault in log.faults:
            print(fault)
        print(say("REFUSÉ", "REFUSED"))
        return 7
    print(say("%d lignes prouvées, dont %d montrées ; %d valeurs montrées, %d masquées",
              "%d lines proven, %d of them shown; %d values shown, %d redacted")
          % (log.next, log.shown, log.disclosed, log.redacted))
    print(say("empreinte ", "fingerprint ") + fingerprint(log.vault, log.root_pk))
    if expected is None:
        print(say("Attention : sans --fingerprint, l'origine n'est pas prouvée.",
                  "Warning: without --fingerprint the origin is not proven."), file=sys.stderr)
    print("OK")
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
