"""What the benchmarks share: options, CPU of a process, primitives, tables"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'e2e'))
import lib                                                      # noqa: E402


def options(doc, **defaults):
    """Those of the command line, and --json"""
    ap = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--json', action='store_true')
    for name, value in defaults.items():
        ap.add_argument('--' + name.replace('_', '-'), type=type(value), default=value)
    return ap.parse_args()


def show(rows, as_json, *columns):
    """Figures by name, as JSON or as a table: (title, format) of each column"""
    if as_json:
        print(json.dumps(rows))
        return
    lines = [[title for title, _ in columns]] + [
        [fmt % v for v, (_, fmt) in zip(r.values(), columns)] for r in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    for cells in lines:
        print('  '.join(c.rjust(w) for c, w in zip(cells, widths)))


def drop(env, server):
    """What its peak left in the heaps would pass for a leak"""
    env.servers.remove(server)
    server.kill()


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
