"""Install the lowest versions that settings.ini allows, in an environment of their own, and run the notebooks there.

usage: python .github/scripts/lowest.py [--folder DIR] [--only NAME ...] [NOTEBOOK ...]
Exit code 1 when something fails. Every `name>=version` of the requirements and of the extras offline, data, pdf,
onnx, ocr and labels becomes `name==version`; torch stays at the version of .github/constraints.txt, because PyPI has
no older CPU wheels. Without NOTEBOOK every notebook that exports a module is run.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from address import settings
from colab import JUPYTER, environment, own

ROOT = Path(__file__).parents[2]
EXTRAS = 'offline', 'data', 'pdf', 'onnx', 'ocr', 'labels'
TOOLS = 'nbdev', 'execnb', 'fastcore', 'ghapi', 'fastgit', 'hypothesis', 'reportlab', 'nbformat'


def lowest(cfg, only=()):
    "Constraints: the lower bound of each requirement as its only version"
    requirements = ' '.join(cfg[k] for k in ('requirements', *(f'{e}_requirements' for e in EXTRAS))).split()
    bounds = re.findall(r'^([\w.-]+)(?:\[[^\]]*\])?>=([\w.]+)', '\n'.join(requirements), re.M)
    return [f'{name}=={version}' for name, version in bounds if name != 'torch' and (not only or name in only)]


def modules():
    "The notebooks that export a module"
    notebooks = sorted((ROOT/'nbs').rglob('[0-9]*.ipynb'))
    return [f for f in notebooks if '#| default_exp' in f.read_text(encoding='utf-8')]


def install(python, cfg, pins):
    "Install the package at the lowest versions, and what its tests need; exits when that fails"
    tools = [r for r in cfg['dev_requirements'].split() if r.startswith(TOOLS)]
    package = ['-e', f'.[{",".join(EXTRAS)}]', *tools, *JUPYTER, '-c', '.github/constraints.txt', '-c', str(pins)]
    for command in (['install', '-q', *package], ['check'], ['freeze', '--exclude-editable']):
        if subprocess.run([python, '-m', 'pip', *command], cwd=ROOT, env=own(python)).returncode:
            sys.exit(1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path)
    p.add_argument('--folder', help='keep the environment there')
    p.add_argument('--only', nargs='*', default=(), help='pin these packages only')
    a = p.parse_args()
    cfg = settings()
    with tempfile.TemporaryDirectory() as tmp:
        pins = Path(tmp)/'lowest.txt'
        pins.write_text('\n'.join(lowest(cfg, a.only)) + '\n', encoding='utf-8')
        print(pins.read_text(encoding='utf-8'), flush=True)
        python = environment(Path(a.folder or Path(tmp)/'venv').absolute())
        install(python, cfg, pins)
        test = [python, '.github/scripts/test.py', *(a.notebooks or modules())]
        sys.exit(subprocess.run(test, cwd=ROOT, env=own(python)).returncode)


if __name__ == '__main__':
    main()
