"""What the benchmarks share: CPU of a process, primitives"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'e2e'))
import lib                                                      # noqa: E402


def cpu_us(pid):
    """Time that the one thread of a process has run"""
    return int(lib.read_text('/proc/%d/schedstat' % pid).split()[0]) / 1000


def figures(name, *args):
    """What a primitive prints"""
    return json.loads(subprocess.check_output(
        [lib.program('bench/' + name), *[str(a) for a in args]]))


def tls():
    """{exchange: us} of our side alone, see bench_tls.c"""
    return figures('bench_tls')


def mean(a, b):
    return {k: (a[k] + b[k]) / 2 for k in a}
