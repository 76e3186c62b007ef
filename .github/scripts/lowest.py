"""The lowest versions that settings.ini allows: install them in a virtual environment of their own and run the notebooks there.

usage: python .github/scripts/lowest.py [--folder DIR] [--only NAME ...] [NOTEBOOK ...]      exit code 1 when something fails
Every `name>=version` of the requirements and of the extras offline, data, pdf and onnx becomes `name==version`; torch stays at the version of
.github/constraints.txt, because older CPU wheels are not on PyPI. Without NOTEBOOK the numbered ones that export a module are run.
"""
import argparse, re, subprocess, sys, tempfile
from configparser import ConfigParser
from pathlib import Path
from colab import environment, own

ROOT = Path(__file__).parents[2]
EXTRAS = ('offline', 'data', 'pdf', 'onnx')

def lowest(cfg, only=()):
    "Constraints: the lower bound of each requirement as its only version"
    reqs = ' '.join(cfg[k] for k in ('requirements', *(f'{e}_requirements' for e in EXTRAS))).split()
    found = re.findall(r'^([\w.-]+)(?:\[[^\]]*\])?>=([\w.]+)', '\n'.join(reqs), re.M)
    return [f'{n}=={v}' for n, v in found if n != 'torch' and (not only or n in only)]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path); p.add_argument('--folder', help='keep the environment there'); p.add_argument('--only', nargs='*', default=())
    a = p.parse_args()
    cfg = ConfigParser(delimiters=['=']); cfg.read(ROOT/'settings.ini', encoding='utf-8'); cfg = cfg['DEFAULT']
    with tempfile.TemporaryDirectory() as tmp:
        pins = Path(tmp)/'lowest.txt'; pins.write_text('\n'.join(lowest(cfg, a.only))+'\n', encoding='utf-8')
        print(pins.read_text(encoding='utf-8'), flush=True)
        py = environment(Path(a.folder or Path(tmp)/'venv').absolute())
        tools = [r for r in cfg['dev_requirements'].split() if r.startswith(('nbdev', 'execnb', 'fastcore', 'ghapi', 'fastgit', 'hypothesis', 'reportlab', 'nbformat'))]
        for cmd in (['install', '-q', '-e', f'.[{",".join(EXTRAS)}]', *tools, '-c', '.github/constraints.txt', '-c', str(pins)], ['check'], ['freeze', '--exclude-editable']):
            if subprocess.run([py, '-m', 'pip', *cmd], cwd=ROOT, env=own(py)).returncode: sys.exit(1)
        books = a.notebooks or [f for f in sorted((ROOT/'nbs').glob('[0-9]*.ipynb')) if '#| default_exp' in f.read_text(encoding='utf-8')]
        sys.exit(subprocess.run([py, '.github/scripts/test.py', *books], cwd=ROOT, env=own(py)).returncode)

if __name__ == '__main__': main()
