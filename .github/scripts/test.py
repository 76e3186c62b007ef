"""All tests: sources in step, style, notebooks, docs site. The last line is `N passed, N failed`.

1. nbdev can be imported (its pins are easy to break)
2. in step: `nbdev_clean`, `nbdev_export`, `readme.py` and `address.py` would change nothing; light.txt fits
3. ruff, with .github/ruff.toml
4. checks.py: the order of the modules, examples, wording
5. every notebook, in a process of its own, by notebook.py: it runs, and it prints what it stores
6. the docs site builds without a warning, and its links are right

With NOTEBOOK only these notebooks run. The exit code is 1 when something fails.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE, ROOT = Path(__file__).parent, Path(__file__).resolve().parents[2]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
NOT_COPIED = ('.git', '.venv', 'build', '_docs', '*.egg-info', '__pycache__', '.ipynb_checkpoints')


def command(*cmd, cwd=ROOT, **env):
    "Run a command; returns (whether it succeeded, what it printed)"
    p = subprocess.run([str(c) for c in cmd], cwd=cwd, capture_output=True, text=True, env=os.environ | env)
    return p.returncode == 0, (p.stdout + p.stderr).strip()


def python(*cmd, **kwargs):
    "Run Python with these arguments"
    return command(sys.executable, *cmd, **kwargs)


def last_line(ok, output):
    "A result with only the last line of what was printed, unless it failed"
    return ok, output.splitlines()[-1] if ok and output else output


def in_step():
    "The generated files are those that their sources give; tried on a copy, so that the working tree stays as it is"
    with tempfile.TemporaryDirectory() as d:
        copy = Path(d)/'copy'
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        steps = [['nbdev_clean'], ['nbdev_export'], [sys.executable, '.github/scripts/readme.py']]
        for name in ('address.py', 'light.py'):
            steps.append([sys.executable, f'.github/scripts/{name}', '--check'])
        for step in steps:
            ok, output = command(*step, cwd=copy)
            if not ok:
                return False, output
        files = [p.relative_to(copy) for p in copy.rglob('*') if p.is_file() and p.suffix in ('.py', '.ipynb', '.md')]
        stale = [str(f) for f in files if '__pycache__' not in f.parts and not same(ROOT/f, copy/f)]
    return not stale, f'stale: {", ".join(stale)}; run nbdev_clean, nbdev_export and readme.py' if stale else ''


def same(a, b):
    "Whether two files exist and hold the same bytes"
    return a.is_file() and b.is_file() and a.read_bytes() == b.read_bytes()


def notebook(fn, flags, threads):
    "One notebook, through notebook.py"
    ok, output = python(HERE/'notebook.py', '--flags', flags, fn, OMP_NUM_THREADS=str(threads))
    about = re.search(r'^ok .*\((.*)\)$', output, re.M)
    return ok, about[1] if ok and about else output


def docs():
    "The site builds without a warning; site.py finds no fault in it"
    with tempfile.TemporaryDirectory() as d:
        pages, site, doctrees = (Path(d)/name for name in ('docs', 'site', 'doctrees'))
        build = ['-m', 'sphinx', '-q', '-W', '--keep-going', '-c', '.github/docs', '-d', doctrees, '-b', 'html']
        for step in (['.github/docs/prep_docs.py', pages], [*build, pages, site], [HERE/'site.py', site]):
            ok, output = python(*step)
            if not ok:
                return ok, output
        return last_line(ok, output)


class Results:
    "Runs tests and prints a line for each"
    def __init__(self):
        self.passed = []               # one truth value per test

    def test(self, name, fn, *args):
        start = time.time()
        ok, output = fn(*args)
        self.passed.append(ok)
        print(f'{"ok" if ok else "FAILED":6} {time.time()-start:6.1f}s  {name:34} {output if ok else ""}', flush=True)
        if not ok:
            print(output, flush=True)


def notebooks():
    "All notebooks, the largest first, because they tend to take longest"
    from nbdev.config import get_config
    from nbdev.doclinks import nbglob
    return sorted(nbglob(get_config(path=ROOT).nbs_path, as_path=True), key=lambda f: -f.stat().st_size)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path, metavar='NOTEBOOK')
    p.add_argument('--workers', type=int, default=min(4, CORES),
                   help='notebooks at a time, each with its share of the cores and up to 2 GB; default: one per core, '
                        'four at most')
    p.add_argument('--flags', default='', help='run cells with these tst_flags too, e.g. "slow"')
    a = p.parse_args()
    start, results = time.time(), Results()
    if not a.notebooks:
        results.test('nbdev can be imported', python, '-c', 'import nbdev.cli')
        results.test('in step', in_step)
        results.test('ruff', python, '-m', 'ruff', 'check', '-q', '--no-cache', '--config', '.github/ruff.toml', '.')
        results.test('checks', lambda: last_line(*python(HERE/'checks.py')))
    files = [f.resolve() for f in a.notebooks or notebooks()]
    workers = min(a.workers, len(files))
    threads = max(1, CORES//workers)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda f: results.test(short(f), notebook, f, a.flags, threads), files))
    if not a.notebooks:
        results.test('docs site', docs)
    print(f'all in {time.time()-start:.0f}s')
    passed = sum(results.passed)
    failed = len(results.passed)-passed
    print(f'{passed} passed, {failed} failed')
    sys.exit(failed > 0)


def short(fn):
    "A notebook's name for a line of results, e.g. `tutorials/01_finetune`"
    return str(fn.relative_to(ROOT/'nbs') if fn.is_relative_to(ROOT/'nbs') else fn).removesuffix('.ipynb')


if __name__ == '__main__':
    main()
