"""Prediction without torch: install .github/light.txt in a fresh environment, and use the ready model there.

usage: python .github/scripts/light.py [--check] [--folder DIR]
--check only compares the bounds of light.txt with those of settings.ini. Otherwise the package is installed as its
first lines say, and a PDF, a text and a table are predicted. Exit code 1 when something fails, torch is there, a
message proposes to install it where nothing is trained, or the environment is larger than MAX_MB.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from address import settings
from colab import environment, own

ROOT = Path(__file__).parents[2]
LIGHT = ROOT/'.github'/'light.txt'
MAX_MB = 400
LINES = ['Ngozi Adeyemi', 'ngozi@example.org', 'Work Experience', 'Ward Sister, St Brannock Hospital',
         'June 2015 - May 2017', 'Education', 'BSc Nursing, University of Ibadan', '2010 - 2014']


def differing():
    "Lines of light.txt that are not requirements of the package, as settings.ini has them"
    required = settings()['requirements'].split()
    lines = [line for line in LIGHT.read_text(encoding='utf-8').splitlines() if line and not line.startswith('#')]
    return [line for line in lines if line not in required]


def write_pdf(path):
    "A page with the lines of a resume; reportlab belongs to the environment that runs this script"
    from reportlab.pdfgen.canvas import Canvas
    canvas = Canvas(str(path))
    for i, line in enumerate(LINES):
        canvas.drawString(72, 760-18*i, line)
    canvas.save()


def megabytes(folder):
    return sum(f.stat().st_size for f in Path(folder).rglob('*') if f.is_file())/1e6


def tried(python, folder):
    "Use the package in that environment; yields what went wrong"
    env = own(python)

    def run(*args):
        command = [python, '-m', 'resume_bert', *map(str, args)]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    write_pdf(folder/'cv.pdf')
    table = 'text,section\n'+''.join(f'"{line}",{"Education" if i > 4 else "Other"}\n' for i, line in enumerate(LINES))
    (folder/'lines.csv').write_text(table, encoding='utf-8')
    start = time.perf_counter()
    done = run('sections', 'cv.pdf', '--format', 'json')
    print(f'sections of a PDF: {time.perf_counter()-start:.1f} s with a cold start')
    found = {part['section'] for part in json.loads(done.stdout or '{"sections": []}')['sections']}
    if done.returncode or not {'Work Experience', 'Education'} <= found:
        yield f'sections: {done.stdout}{done.stderr}'
    for args in (['predict', 'BSc Nursing'], ['predict', '--file', 'lines.csv', '--out', 'out.csv'],
                 ['sections', 'cv.pdf', '--format', 'jsonresume']):
        done = run(*args)
        if done.returncode or 'torch' in done.stderr:
            yield f'{args[0]}: {done.stderr}'
    done = run('train', 'lines.csv', '--out', 'run')
    if done.returncode != 2 or 'train needs the package torch' not in done.stderr:
        yield f'train without torch: {done.stderr}'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--check', action='store_true')
    p.add_argument('--folder', type=Path, help='for the environment; default: a temporary one')
    a = p.parse_args()
    if wrong := differing():
        sys.exit(f'{LIGHT.name} and settings.ini differ: {", ".join(wrong)}')
    if a.check:
        return
    with tempfile.TemporaryDirectory() as d:
        venv = a.folder or Path(d)/'venv'
        python = environment(venv)
        for what in (['--no-deps', '-e', str(ROOT)], ['-r', str(LIGHT)]):
            subprocess.run([python, '-m', 'pip', 'install', '-q', *what], check=True, env=own(python))
        faults = list(tried(python, Path(d)))
        size = megabytes(venv)
        print(f'{size:.0f} MB, torch {"there" if list(Path(venv).rglob("site-packages/torch")) else "not there"}')
        if size > MAX_MB or list(Path(venv).rglob('site-packages/torch')):
            faults.append('the environment is too large')
    print(*faults, f'{len(faults)} faults', sep='\n')
    sys.exit(bool(faults))


if __name__ == '__main__':
    main()
