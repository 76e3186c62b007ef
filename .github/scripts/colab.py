"""A stand-in for Colab: run each tutorial, outside the repository, in a fresh environment with Jupyter and the wheel.

usage: python .github/scripts/colab.py [--quick] [--keep DIR] [NOTEBOOK ...]
       python .github/scripts/colab.py --dry-run
Without NOTEBOOK every tutorial is run; exit code 1 when one fails. What the install cell of a tutorial does is done
for it: its extras are installed, and no others, and the files that it downloads from the repository are put beside it.
--quick sets RESUME_BERT_QUICK, so that a tutorial trains on a few resumes only. --keep leaves the executed copies in
DIR, to compare them with the stored ones. --dry-run asks pip what it would install beside the packages of Colab
(constraints-colab.txt) and exits with 1 when it would replace one, such as torch.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from address import settings

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT/'.github'/'constraints.txt'
COLAB = ROOT/'.github'/'constraints-colab.txt'
LIB = settings()['lib_name']
NOT_COPIED = '.git', '.venv', 'build', 'dist', '_docs', '*.egg-info', '__pycache__', 'runs'
NOT_INHERITED = 'PYTHONPATH', 'MPLBACKEND', 'VIRTUAL_ENV'      # they would lead into the packages of this environment
JUPYTER = 'nbclient', 'ipykernel', 'ipywidgets'

RUN = '''
import nbformat, sys
from nbclient import NotebookClient
nb = NotebookClient(nbformat.read(sys.argv[1], 4), timeout=None, kernel_name="python3").execute()
nbformat.write(nb, sys.argv[1])
'''


def environment(folder):
    "Make a virtual environment; returns its Python"
    venv.create(folder, with_pip=True)
    return Path(folder)/('Scripts' if os.name == 'nt' else 'bin')/'python'


def own(python):
    "The environment variables of this process, made fit for the Python of another environment"
    env = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED and not k.startswith('RESUME_BERT_')}
    return env | dict(PATH=f'{Path(python).parent}{os.pathsep}{os.environ["PATH"]}')


def wheel(folder):
    "Build the wheel of the package from a copy of the repository"
    copy = Path(folder)/'source'
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', folder, copy], check=True)
    return next(Path(folder).glob(f'{LIB}-*.whl'))


def normalized(name):
    return re.sub('[-_.]+', '-', name).lower()


def dry_run(tmp):
    "Ask pip what it would install on Colab; True when it would replace a package that is there already"
    report = Path(tmp)/'report.json'
    what = [f'{wheel(tmp)}[offline]', '-c', COLAB]
    flags = ['-q', '--dry-run', '--ignore-installed', '--report', report]
    subprocess.run([sys.executable, '-m', 'pip', 'install', *flags, *what], check=True)
    pins = re.findall(r'^([\w-]+)==(\S+)', COLAB.read_text(encoding='utf-8'), re.M)
    there = {normalized(name): version for name, version in pins}
    packages = [p['metadata'] for p in json.loads(report.read_text(encoding='utf-8'))['install']]
    chosen = {normalized(p['name']): p['version'] for p in packages}
    replaced = {n: v for n, v in chosen.items() if n in there and v.split('+')[0] != there[n]}
    print(f'{len(chosen)} packages; replaced: {replaced or "none"}; torch {chosen.get("torch")}')
    return bool(replaced)


def needs(notebook):
    "The extras that the install cell of a tutorial names, and the files of the repository that it downloads"
    cells = json.loads(notebook.read_text(encoding='utf-8'))['cells']
    code = '\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'code')
    extras = re.search(rf'pip install .*{LIB}\[([\w,]+)\] @ git', code)
    if not extras:
        sys.exit(f'{notebook}: no cell installs the package')
    files = re.findall(r'wget \S* ?https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[\w.-]+/(\S+)', code)
    return extras[1], [ROOT/f for f in files]


def tutorial(built, notebook, quick, keep):
    "Run one tutorial in a folder and an environment of its own; prints how it went and returns whether it passed"
    extras, files = needs(notebook)
    with tempfile.TemporaryDirectory() as tmp:
        start, content, python = time.time(), Path(tmp)/'content', environment(Path(tmp)/'venv')
        content.mkdir()
        for file in (notebook, *files):
            shutil.copy(file, content)
        packages = [f'{built}[{extras}]', *JUPYTER, '-c', CONSTRAINTS]
        subprocess.run([python, '-m', 'pip', 'install', '-q', *packages], check=True)
        env = own(python) | dict(HF_HUB_OFFLINE='1', RESUME_BERT_HOME=str(Path(tmp)/'home'))
        if quick:
            env['RESUME_BERT_QUICK'] = '1'
        ready = time.time()
        ok = subprocess.run([python, '-c', RUN, notebook.name], cwd=content, env=env).returncode == 0
        if keep and ok:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(content/notebook.name, keep)
        result, how = 'ok' if ok else 'FAILED', ' (quick)'*quick
        print(f'{result:6} {time.time()-ready:6.0f}s  {notebook.name}{how}, '
              f'installed with [{extras}] in {ready-start:.0f} s', flush=True)
    return ok


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path)
    p.add_argument('--dry-run', action='store_true')
    p.add_argument('--quick', action='store_true')
    p.add_argument('--keep', type=Path, metavar='DIR')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        if a.dry_run:
            sys.exit(dry_run(tmp))
        built = wheel(tmp)
        notebooks = a.notebooks or sorted((ROOT/'nbs'/'tutorials').glob('*.ipynb'))
        passed = [tutorial(built, notebook.absolute(), a.quick, a.keep) for notebook in notebooks]
        sys.exit(not all(passed))


if __name__ == '__main__':
    main()
