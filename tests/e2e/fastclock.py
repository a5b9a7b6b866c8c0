"""A program whose clock runs faster than the others'"""
import os
import subprocess

import lib
from lib import Skip, check


def preload(factor):
    """Environment for it"""
    so = os.path.join(lib.BUILD, 'tests', 'fastclock.so')
    if lib.sanitized():
        raise Skip('a sanitizer does not like its clock replaced')
    if not os.path.exists(so):
        r = subprocess.run(['make', '-C', lib.BUILD, 'tests/fastclock.so'],
                           stdout=subprocess.DEVNULL)
        check(r.returncode == 0, 'cannot build %s' % so)
    return {'LD_PRELOAD': so, 'FASTCLOCK': str(factor)}
