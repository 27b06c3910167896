"""A switch's command line on its standard input and output, for the tests of
snapshots: a prompt, a pager, a privileged mode. It echoes what is typed, as
devices do. `device.py FILE` shows FILE as its configuration and logs each command
to FILE.log; FILE.mute breaks off in the middle, FILE.stubborn keeps the pager on,
FILE.user starts without rights, whose password FILE.user holds.
"""

import os
import sys
import time

CONFIG = sys.argv[1]


def has(what):
    return os.path.exists(CONFIG + "." + what)


def say(text):
    data = text.replace("\n", "\r\n").encode()
    while data:
        data = data[os.write(1, data):]


def key():
    byte = os.read(0, 1)
    if not byte:
        sys.exit(0)
    return byte.decode("latin-1")


def line(shown=True):
    typed = ""
    while True:
        c = key()
        if c in "\r\n":
            say("\n")
            return typed
        typed += c
        if shown:
            say(c)


def page(lines, rows):
    for n, text in enumerate(lines):
        if rows and n and n % rows == 0:
            say(" --More-- ")
            c = key()
            say("\b" * 10 + " " * 10 + "\b" * 10)
            if c in "qQ":
                return
        if has("mute") and n == len(lines) // 2:
            sys.exit(0)
        say(text + "\n")


def main():
    if os.isatty(0):
        import termios
        import tty

        # What was typed already is not thrown away.
        tty.setraw(0, termios.TCSANOW)
    rows, privileged = 20, not has("user")
    say("\nSwitch sw1 - authorized users only\n\n")
    while True:
        say("sw1#" if privileged else "sw1>")
        command = line().strip()
        with open(CONFIG + ".log", "a") as log:
            log.write(command + "\n")
        if command == "":
            continue
        if command == "enable":
            say("Password: ")
            privileged = line(shown=False) == open(CONFIG + ".user").read()
            if not privileged:
                say("% Access denied\n\n")
        elif command.startswith("terminal length ") and not has("stubborn"):
            rows = int(command.split()[2])
        elif command == "show running-config" and privileged:
            head = ["Building configuration...", "", "Current configuration : 1234 bytes"]
            head.append("! Last configuration change at %d by admin" % time.time_ns())
            page(head + open(CONFIG).read().split("\n"), rows)
        elif command == "exit":
            return
        else:
            say("% Invalid input detected at '^' marker.\n\n")


main()
