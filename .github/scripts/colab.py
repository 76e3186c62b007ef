"""A stand-in for Colab: a fresh environment with Jupyter and the built wheel, in which the tutorials, copied out of the repository, run from top to bottom.

usage: python .github/scripts/colab.py [NOTEBOOK ...]     default: nbs/tutorials/*.ipynb; exit code 1 when one fails
       python .github/scripts/colab.py --dry-run          asks pip what it would install beside Colab's packages; exit code 1 when torch is among it
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, venv
from pathlib import Path

ROOT = Path(__file__).parents[2]

def environment(folder):
    "A new virtual environment; returns its Python"
    venv.create(folder, with_pip=True)
    return Path(folder)/('Scripts' if os.name == 'nt' else 'bin')/'python'

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

def tutorials(tmp, books):
    py, failed = environment(Path(tmp)/'venv'), 0
    subprocess.run([py, '-m', 'pip', 'install', '-q', f'{wheel(tmp)}[offline,pdf]', 'nbclient', 'ipykernel', 'ipywidgets', '-c', ROOT/'.github'/'constraints.txt'], check=True)
    run = 'import nbformat, sys; from nbclient import NotebookClient; NotebookClient(nbformat.read(sys.argv[1], 4), timeout=3000, kernel_name="python3").execute()'
    for b in books:
        d = Path(tempfile.mkdtemp(dir=tmp)); shutil.copy(b, d)
        env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'} | dict(HF_HUB_OFFLINE='1', MPLBACKEND='agg', PATH=f'{py.parent}{os.pathsep}{os.environ["PATH"]}')
        ok = subprocess.run([py, '-c', run, Path(b).name], cwd=d, env=env).returncode == 0
        failed += not ok
        print(f'{"ok" if ok else "FAILED":6} {Path(b).name}', flush=True)
    return failed

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', type=Path); p.add_argument('--dry-run', action='store_true')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        if a.dry_run: sys.exit(dry_run(tmp))
        sys.exit(tutorials(tmp, [b.absolute() for b in a.notebooks or sorted((ROOT/'nbs'/'tutorials').glob('*.ipynb'))]) > 0)

if __name__ == '__main__': main()
