"""docs/conformance.md names tests that exist, and gives each row one or a reason

    conformance.py [FILE]
"""
import glob
import os
import re
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
TOKEN = re.compile(r'\b(\d\d_\w+\.py|test_\w+|fuzz_\w+)\b|`([^`]+)`')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def source_of(test):
    """A test's file, or None"""
    path = os.path.join(TESTS, 'e2e', test) if test.endswith('.py') else \
        os.path.join(TESTS, 'fuzz' if test.startswith('fuzz_') else '', test + '.c')
    return path if os.path.exists(path) else None


def is_run(test):
    """make check knows it"""
    return any(re.search(r'\b%s\b' % re.escape(test), read(mk))
               for mk in glob.glob(os.path.join(TESTS, '*.mk')))


def has_case(path, name):
    """A function of a scenario, or a row of one of its tables; a Check test"""
    pattern = r"^def %s\(|'%s'" if path.endswith('.py') else r'^START_TEST\(%s\)'
    return re.search(pattern.replace('%s', re.escape(name)), read(path), re.M)


def in_product(name):
    """`function()` or `file.c` of the programs"""
    if name.endswith('()'):
        return any(re.search(r'\b%s\(' % re.escape(name[:-2]), read(f))
                   for f in glob.glob(os.path.join(TOP, '*', '*.c')))
    return glob.glob(os.path.join(TOP, '*', name)) or os.path.exists(
        os.path.join(TOP, name))


def faults(what, cell):
    """What is wrong with the third cell of a row"""
    path, cases = None, 0
    for test, quoted in TOKEN.findall(cell):
        if test:
            path = source_of(test)
            cases += 1
            if not path or not is_run(test):
                yield 'no test %s' % test
        elif re.search(r'\(\)$|\.[ch]$|/', quoted):
            if not in_product(quoted):
                yield 'nothing is called %s' % quoted
        elif path and not has_case(path, quoted):
            yield 'no case %s in %s' % (quoted, os.path.basename(path))
    if not cases and len((what + cell).split()) < 5:
        yield 'neither test nor reason'


def rows(text):
    """(line number, [section, what, test or reason])"""
    for n, line in enumerate(text.split('\n'), 1):
        if line.startswith('|') and not re.match(r'\|(---|\s*section\s*\|)', line):
            yield n, [c.strip() for c in re.split(r'(?<!\\)\|', line.strip())[1:-1]]


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        TOP, 'docs', 'conformance.md')
    count, bad = 0, []
    for n, cells in rows(read(path)):
        count += 1
        if len(cells) != 3:
            bad.append((n, 'not three columns'))
        else:
            bad += [(n, f) for f in faults(*cells[1:])]
    for n, fault in bad:
        print('conformance.md:%d: %s' % (n, fault))
    print('%d rows, %d faults' % (count, len(bad)))
    sys.exit(1 if bad or not count else 0)


if __name__ == '__main__':
    main()
