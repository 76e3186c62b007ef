"""A stand-in for Colab: each tutorial, copied out of the repository, runs from top to bottom in a fresh environment with Jupyter and the built wheel.

usage: python .github/scripts/colab.py [--quick] [--keep DIR] [NOTEBOOK ...]     default: nbs/tutorials/*.ipynb; exit code 1 when one fails
       python .github/scripts/colab.py --dry-run                    asks pip what it would install beside Colab's packages; exit code 1 when torch is among it
What the install cell of a tutorial does is done for it: its extras are installed, and no others, and the files that it fetches from the repository are put beside it.
With --quick the tutorials run with their quick switch (RESUME_BERT_QUICK): a few resumes, to see that everything works. With --keep the executed copies
are kept in DIR, to be compared with what the repository stores.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time, venv
from pathlib import Path

ROOT = Path(__file__).parents[2]

def environment(folder):
    "A new virtual environment; returns its Python"
    venv.create(folder, with_pip=True)
    return Path(folder)/('Scripts' if os.name == 'nt' else 'bin')/'python'

def own(python):
    "The variables of this process for another environment's Python, without those that would lead it into the packages of this one"
    env = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'MPLBACKEND', 'VIRTUAL_ENV') and not k.startswith('RESUME_BERT_')}
    return env | dict(PATH=f'{Path(python).parent}{os.pathsep}{os.environ["PATH"]}')

def wheel(folder):
    "Build the wheel of the package from a copy of the repository"
    copy = Path(folder)/'source'
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('.git', '.venv', 'build', 'dist', '_docs', '*.egg-info', '__pycache__', 'runs'))
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', folder, copy], check=True)
    return next(Path(folder).glob('resume_bert-*.whl'))

def dry_run(tmp):
    "What pip would install on Colab: every package of the constraints is there already, in that version"
    report = Path(tmp)/'report.json'
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--dry-run', '--ignore-installed', '--report', report, f'{wheel(tmp)}[offline]', '-c', ROOT/'.github'/'constraints-colab.txt'], check=True)
    there = dict(re.findall(r'^([\w-]+)==(\S+)', (ROOT/'.github'/'constraints-colab.txt').read_text(encoding='utf-8'), re.M))
    key = lambda n: re.sub('[-_.]+', '-', n).lower()
    there = {key(n): v for n, v in there.items()}
    chosen = {key(p['metadata']['name']): p['metadata']['version'] for p in json.loads(report.read_text(encoding='utf-8'))['install']}
    changed = {n: v for n, v in chosen.items() if n in there and v.split('+')[0] != there[n]}
    print(f'{len(chosen)} packages; replaced: {changed or "none"}; torch {chosen.get("torch")}')
    return bool(changed)

RUN = '''import nbformat, sys
from nbclient import NotebookClient
nbformat.write(NotebookClient(nbformat.read(sys.argv[1], 4), timeout=None, kernel_name="python3").execute(), sys.argv[1])'''

def wants(book):
    "Extras of the package that the install cell of a tutorial names, and files of the repository that it fetches"
    code = '\n'.join(''.join(c['source']) for c in json.loads(book.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code')
    if not (m := re.search(r'pip install .*resume_bert\[([\w,]+)\] @ git', code)): sys.exit(f'{book}: no cell installs the package')
    return m[1], [ROOT/f for f in re.findall(r'wget \S* ?https://raw\.githubusercontent\.com/resume-bert/resume_bert/main/(\S+)', code)]

def tutorial(built, book, quick, keep):
    "Run one tutorial in a folder and an environment of its own; prints how it went and returns whether it did"
    extras, files = wants(book)
    with tempfile.TemporaryDirectory() as tmp:
        t, d, py = time.time(), Path(tmp)/'content', environment(Path(tmp)/'venv')
        d.mkdir()
        for f in (book, *files): shutil.copy(f, d)
        subprocess.run([py, '-m', 'pip', 'install', '-q', f'{built}[{extras}]', 'nbclient', 'ipykernel', 'ipywidgets', '-c', ROOT/'.github'/'constraints.txt'], check=True)
        env = own(py) | dict(HF_HUB_OFFLINE='1', RESUME_BERT_HOME=str(Path(tmp)/'home')) | (dict(RESUME_BERT_QUICK='1') if quick else {})
        ready = time.time()
        ok = subprocess.run([py, '-c', RUN, book.name], cwd=d, env=env).returncode == 0
        if keep and ok: keep.mkdir(parents=True, exist_ok=True); shutil.copy(d/book.name, keep)
        print(f'{"ok" if ok else "FAILED":6} {time.time()-ready:6.0f}s  {book.name}{" (quick)"*quick}, installed with [{extras}] in {ready-t:.0f} s', flush=True)
    return ok

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path); p.add_argument('--dry-run', action='store_true'); p.add_argument('--quick', action='store_true'); p.add_argument('--keep', type=Path, metavar='DIR')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        if a.dry_run: sys.exit(dry_run(tmp))
        built = wheel(tmp)
        went = [tutorial(built, b.absolute(), a.quick, a.keep) for b in a.notebooks or sorted((ROOT/'nbs'/'tutorials').glob('*.ipynb'))]
        sys.exit(not all(went))

if __name__ == '__main__': main()
