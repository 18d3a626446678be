import os
import signal


def test_double():
    os.kill(os.getppid(), signal.SIGKILL)
