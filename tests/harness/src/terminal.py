"""Runs a command on a terminal of its own: keys come from standard input, what it paints goes to standard output.

The terminal has as many columns and lines as the first two arguments say. The status is that of the command.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

columns, lines = int(sys.argv[1]), int(sys.argv[2])
child, terminal = pty.fork()
if child == 0:
    # The size has to be there before the command asks for it.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])

signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
keys = 0
while True:
    ready, _, _ = select.select([terminal] + ([keys] if keys is not None else []), [], [])
    if keys in ready:
        pressed = os.read(keys, 4096)
        if pressed:
            os.write(terminal, pressed)
        else:
            keys = None
    if terminal in ready:
        try:
            painted = os.read(terminal, 65536)
        except OSError:
            # The last process on the terminal has ended.
            painted = b""
        if not painted:
            break
        os.write(1, painted)

_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
