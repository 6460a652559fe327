"""Run commands on a pseudo-terminal, and tell what they showed there.

For the shell tests: PYTHONPATH=$SRC_ROOT/t python3 -c 'import terminal; ...'.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time


def resize(fd, columns, lines=40):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))


class Run:
    """What a command showed: chunks are (seconds since the start, bytes read), out is all bytes, code as the shell has it."""

    def __init__(self):
        self.chunks = []
        self.out = b''
        self.code = None
        self.seconds = 0.0


def run(argv, env=None, columns=80, on_output=None, limit=60):
    """Run argv on a terminal of its own.  on_output(fd, run) is called after each read, and may write to fd."""
    result = Run()
    began = time.monotonic()
    pid, fd = pty.fork()
    if pid == 0:
        try:
            resize(0, columns)
            os.execvpe(argv[0], argv, {**os.environ, **(env or {})})
        finally:
            os._exit(127)
    while True:
        if not select.select([fd], [], [], limit)[0]:
            os.kill(pid, signal.SIGKILL)
            break
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        result.chunks.append((time.monotonic() - began, data))
        result.out += data
        if on_output:
            on_output(fd, result)
    result.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if result.code < 0:
        result.code = 128 - result.code
    result.seconds = time.monotonic() - began
    os.close(fd)
    return result


def render(data):
    """The lines that stand on the terminal at the end, blanks at their ends cut off; no control sequence is understood."""
    lines, at = [bytearray()], 0
    for byte in data:
        if byte == 13:
            at = 0
        elif byte == 10:
            lines.append(bytearray())
            at = 0
        else:
            assert byte >= 32, (byte, data)
            if at < len(lines[-1]):
                lines[-1][at] = byte
            else:
                lines[-1].append(byte)
            at += 1
    return [bytes(line).decode().rstrip() for line in lines]


def frames(data):
    """What was drawn between carriage returns, blanks cut off, empty ones left out."""
    parts = (part.strip(b' \n') for part in data.replace(b'\r\n', b'\n').split(b'\r'))
    return [part.decode() for part in parts if part]
