"""ARCHITECTURE.md says where every source file belongs, once, and names no other

    architecture.py [FILE]
"""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NO_PRODUCT = ('tests', 'bench')
ROW = re.compile(r'\| `(\w+)/` \| .* \| (`.*`) \|$')


def sources():
    """Of the programs, as folder/file.c, without what a build has made"""
    return {os.path.relpath(f, TOP) for f in glob.glob(os.path.join(TOP, '*', '*.c'))
            if os.path.basename(os.path.dirname(f)) not in NO_PRODUCT and
            not f.endswith('.pb-c.c')}


def index(text):
    """The files in the rows of the table, as folder/file.c"""
    return ['%s/%s' % (row[1], name) for row in map(ROW.match, text.split('\n')) if row
            for name in re.findall(r'`(\w+\.c)`', row[2])]


def faults(text):
    have, named = sources(), index(text)
    for f in sorted(have - set(named)):
        yield '%s is in no row' % f
    for f in sorted(set(named)):
        if f not in have:
            yield 'there is no %s' % f
        elif named.count(f) > 1:
            yield '%s is in several rows' % f
    known = {os.path.basename(f) for f in have}
    for name in sorted(set(re.findall(r'\b\w+\.c\b', text)) - known):
        yield 'nothing is called %s' % name


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, 'ARCHITECTURE.md')
    with open(path, encoding='utf-8') as f:
        bad = list(faults(f.read()))
    for fault in bad:
        print('ARCHITECTURE.md: %s' % fault)
    print('%d source files, %d faults' % (len(sources()), len(bad)))
    sys.exit(1 if bad or not sources() else 0)


if __name__ == '__main__':
    main()
