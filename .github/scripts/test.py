"""All tests: notebooks in step with the package and README, every notebook run, the docs site built. Ends with `N passed, N failed`.

usage: python .github/scripts/test.py [--workers N] [--flags "slow ..."] [NOTEBOOK ...]      exit code 1 when something fails
With NOTEBOOK only these are run, and nothing else. Each notebook runs in a process of its own, by nbdev's rules (`tst_flags`,
`#| eval: false`), without a network (HF_HUB_OFFLINE) and with `RESUME_BERT_QUICK` set, so that its memory is given back afterwards; several at a time
have a home (`RESUME_BERT_HOME`) each, so that none waits for another's demo run.
"""
import argparse, os, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1   # those that this process may use

def _peak():
    "Largest memory of this process so far, in MB; 0 where the system does not say (Windows)"
    try: import resource
    except ImportError: return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss//(2**20 if sys.platform == 'darwin' else 1024)

def run_one(fn, flags=''):
    "Test one notebook in this process, with nbdev's own rules"
    from nbdev.config import get_config
    from nbdev.test import test_nb
    cfg = get_config()
    ok, _ = test_nb(Path(fn).absolute(), skip_flags=cfg.tst_flags.split(), force_flags=flags.split(), basepath=cfg.config_path)
    print(f'{_peak()} MB')
    return ok

def command(*cmd, cwd=ROOT, **env):
    "Run a command; returns (ok, what it printed)"
    p = subprocess.run([str(c) for c in cmd], cwd=cwd, capture_output=True, text=True, env=os.environ | env)
    return p.returncode == 0, p.stdout + p.stderr

def notebook(fn, flags, workers):
    threads = max(1, CORES//workers)
    env = dict(OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE='1', RESUME_BERT_QUICK='1', MPLBACKEND='agg', TOKENIZERS_PARALLELISM='false')
    with tempfile.TemporaryDirectory() as home:
        if workers > 1: env['RESUME_BERT_HOME'] = home
        ok, out = command(sys.executable, __file__, '--one', fn, '--flags', flags, **env)
    lines = out.strip().splitlines()
    return ok, next((l for l in reversed(lines) if l.endswith(' MB')), '') if ok else out

def in_step():
    "nbdev_clean, nbdev_export and readme.py change nothing: run on a copy, so that the working tree stays as it is"
    with tempfile.TemporaryDirectory() as d:
        copy = Path(d)/'copy'
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('.git', '.venv', 'build', '_docs', '*.egg-info', '__pycache__', '.ipynb_checkpoints'))
        for cmd in (['nbdev_clean'], ['nbdev_export'], [sys.executable, '.github/scripts/readme.py']):
            ok, out = command(*cmd, cwd=copy)
            if not ok: return False, out
        same = [p for p in copy.rglob('*') if p.is_file() and p.suffix in ('.py', '.ipynb', '.md') and '__pycache__' not in p.parts]
        stale = [str(p.relative_to(copy)) for p in same if not (ROOT/p.relative_to(copy)).is_file() or p.read_bytes() != (ROOT/p.relative_to(copy)).read_bytes()]
    return not stale, f'run nbdev_clean, nbdev_export and python .github/scripts/readme.py; out of step: {", ".join(stale)}' if stale else ''

def docs():
    "The site builds without a warning; no broken link, nothing fetched from elsewhere, every public function with an example"
    with tempfile.TemporaryDirectory() as d:
        ok, out = command(sys.executable, '.github/docs/prep_docs.py', Path(d)/'docs')
        if not ok: return ok, out
        ok, out = command(sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-c', '.github/docs', '-d', Path(d)/'doctrees', '-b', 'html', Path(d)/'docs', Path(d)/'site')
        if not ok: return ok, out
        ok, out = command(sys.executable, '.github/scripts/site.py', Path(d)/'site')
        return ok, out.strip().splitlines()[-1] if ok else out

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path); p.add_argument('--workers', type=int, default=min(4, CORES), help='notebooks at a time, each with its share of the cores and up to 2 GB; default: one a core, four at most')
    p.add_argument('--flags', default=''); p.add_argument('--one', help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: sys.exit(0 if run_one(a.one, a.flags) else 1)
    start, results = time.time(), []
    def test(name, fn, *args):
        t = time.time()
        ok, out = fn(*args)
        results.append(ok)
        print(f'{"ok" if ok else "FAILED":6} {time.time()-t:6.1f}s  {name:28} {out if ok else ""}', *([] if ok else ['\n'+out]), flush=True)
    files = a.notebooks
    if not files:
        test('nbdev can be imported', command, sys.executable, '-c', 'import nbdev.cli')
        test('in step', in_step)
        os.chdir(ROOT)
        from nbdev.doclinks import nbglob
        files = sorted(nbglob(as_path=True), key=lambda f: -f.stat().st_size)
    workers = min(a.workers, len(files))
    with ThreadPoolExecutor(workers) as ex: list(ex.map(lambda f: test(Path(f).stem, notebook, f, a.flags, workers), files))
    if not a.notebooks: test('docs site', docs)
    print(f'all in {time.time()-start:.0f}s')
    print(f'{sum(results)} passed, {len(results)-sum(results)} failed')
    sys.exit(0 if all(results) else 1)

if __name__ == '__main__': main()
