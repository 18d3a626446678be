"""Does nothing, so that another container can share its network."""

import time

time.sleep(60)
