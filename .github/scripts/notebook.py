"""Run notebooks as a person would, and compare what they print with the outputs that they store.

Each notebook is executed by Jupyter's own client, with the kernel of this environment, in the notebook's own folder.
The package has to be installed: the repository root is not on the path. There is no network (`HF_HUB_OFFLINE`), and
runs go to a temporary folder (`RESUME_BERT_HOME`). Cells are skipped by nbdev's rules: those marked `#| eval: false`,
and those marked with one of the `tst_flags` of settings.ini unless `--flags` names it. A skipped cell keeps its
outputs.

The rule of comparison
    Every executed cell has to print what it stores.
    - The parts of a stream are joined: one text for stdout, one for stderr. Progress bars do not count.
    - A result has to have the same kinds of content. Its plain text is compared; where that is missing or only names
      an object (`<... object>`), its HTML without tags, or its Markdown. Pictures only have to be there.
    - Whole numbers must be equal. Numbers with a decimal point or an exponent and percentages may differ, because
      processors differ in the last digits. So may durations (`12 s`, `350 ms`), the names of temporary files and
      memory addresses.
    - A run of blanks counts as one blank, a rule such as `-----` may be longer or shorter, blank lines do not count.
    - `#| varies: numbers` at the top of a cell lets all its numbers differ. `#| varies: all` lets everything differ
      except which kinds of output there are. Say in the text beside the cell why it varies.
    - A notebook that reads `RESUME_BERT_QUICK` (a tutorial) stores its full run, so it is compared only with --full.

With --update the fresh outputs are written into the notebook instead, cleaned as `nbdev_clean` would.
"""
import argparse
import copy
import difflib
import html
import os
import re
import sys
import tempfile
import time
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

try:
    import resource
except ImportError:                   # Windows
    resource = None

ROOT = Path(__file__).resolve().parents[2]
QUICK = 'RESUME_BERT_QUICK'
SKIP_TAG = 'skip-execution'           # nbclient skips cells with this tag; cleaning removes it
MAX_KB = 250                          # larger notebooks are slow to open and to review
MAX_DIFF_LINES, MAX_DIFF_WIDTH = 20, 200
WIDGETS = ('application/vnd.jupyter.widget-view+json', 'application/vnd.jupyter.widget-state+json')
TEXT_KINDS = ('text/plain', 'text/html', 'text/markdown')

ANSI = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
OVERWRITTEN = re.compile(r'[^\n]*\r(?!\n)')                                   # what a carriage return wipes out
BAR = re.compile(r'^.*(?:\d+%\|.*\||\[[\d:]+<[\d:?]+[^\]]*\]).*\n?', re.M)    # `42%|████  | 5/12 [00:03<00:04, ...]`
DIRECTIVE = re.compile(r'\s*#\|\s*(.+?)\s*$')
OBJECT = re.compile(r'<[\w.]+ object>')
NUMBER = r'(?:\d{1,3}(?:,\d{3})+|\d+)'
MASKS = [(re.compile(pattern), mask) for pattern, mask in [
    (r' at 0x[0-9a-fA-F]+', ''),                                               # nbdev_clean removes these
    (r'\b0x[0-9a-fA-F]{6,}\b', '<address>'),
    (r'\S*[/\\]ipykernel_\d+[/\\]\d+\.py|<ipython-input-[^>]*>', '<cell>'),
    (r'(?:[/\\][^\s/\\\'"]+)*[/\\]tmp[a-z0-9_]{8}\b', '<tmp>'),
    (r'\btmp[a-z0-9_]{8}\b', '<tmp>'),
    (rf'(?<![\w.]){NUMBER}?\.?\d+ ?(?:ns|[µu]s|ms|s|sec|seconds?|min|minutes?)\b', '<time>'),
    (rf'(?<!\w)[-+−]?{NUMBER}?\.?\d+(?:[eE][-+]?\d+)? ?%', '#'),               # percentages
    (rf'(?:(?<!\w)[-+−])?{NUMBER}?(?:\.\d+)+(?:[eE][-+]?\d+)?', '#'),           # with a decimal point, versions too
    (r'(?:(?<!\w)[-+−])?\b\d+[eE][-+]?\d+\b', '#'),                            # with an exponent only
    (r'(?:(?<!\w)[-+−])?\b\d+\.(?=[\],)])', '#'),                              # `tensor([1., 0.])`
    (r'([-─=═_])\1{2,}', r'\1\1\1'),
    (r'[ \t\xa0]+', ' '),
    (r'(?<=[\[(|]) ', ''),
]]
ALL_NUMBERS = re.compile(rf'(?:(?<!\w)[-+−])?{NUMBER}')


def directives(cell):
    "The `#|` lines at the top of a cell, e.g. `['slow', 'eval: false']`"
    found = []
    for line in cell.source.splitlines():
        if not (m := DIRECTIVE.match(line)):
            break
        found.append(m[1])
    return found


def is_skipped(cell, flags):
    "Whether nbdev's tests would skip this cell, where `flags` mark cells to skip"
    marks = directives(cell)
    return 'eval: false' in marks or any(m.split()[0] in flags for m in marks)


def varies(cell):
    "What may differ in the outputs of a cell: '', 'numbers' or 'all'"
    value = next((m.split(':')[1].strip() for m in directives(cell) if m.startswith('varies:')), '')
    if value not in ('', 'numbers', 'all'):
        raise SystemExit(f'{cell.id}: `varies: {value}` is not numbers or all')
    return value


def tidy(outputs):
    "Outputs without progress bars; streams between two results are joined, stdout first (they arrive in any order)"
    tidied, streams = [], {}

    def flush():
        for name in ('stdout', 'stderr'):
            text = OVERWRITTEN.sub('', streams.pop(name, ''))
            if name == 'stderr':
                text = BAR.sub('', text)
            if text.strip():
                tidied.append(nbformat.v4.new_output('stream', name=name, text=text))

    for output in outputs:
        if output.output_type == 'stream':
            streams[output.name] = streams.get(output.name, '') + output.text
        elif not any(kind in WIDGETS for kind in output.get('data', {})):
            flush()
            tidied.append(output)
    flush()
    return tidied


def masked(text, numbers=False):
    "The lines of a text without what may differ"
    text = ANSI.sub('', text)
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    if numbers:
        text = ALL_NUMBERS.sub('#', text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def readable(data):
    "The text of a result that is compared"
    texts = {kind: data[kind] for kind in TEXT_KINDS if kind in data}
    if len(texts) > 1 and OBJECT.fullmatch(texts.get('text/plain', '').strip()):
        del texts['text/plain']
    kind, text = next(iter(texts.items()), ('', ''))
    if kind == 'text/html':
        text = re.sub(r'<(style|script).*?</\1>', '', text, flags=re.S)
        text = html.unescape(re.sub(r'<[^>]*>', ' ', text))
    return text


def comparable(outputs, may_vary):
    "Outputs as lines: a heading per output that names its kinds, then its masked text"
    streams, results = {}, []
    for output in tidy(outputs):
        if output.output_type == 'stream':
            streams[output.name] = streams.get(output.name, '') + output.text
        elif output.output_type == 'error':
            results.append(('error', output.ename))
        else:
            results.append((', '.join(sorted(output.data)), readable(output.data)))
    parts = sorted(streams.items()) + results
    if may_vary == 'all':
        return sorted({f'[{kinds}]' for kinds, _ in parts})
    lines = []
    for kinds, text in parts:
        lines += [f'[{kinds}]', *masked(text, may_vary == 'numbers')]
    return lines


def difference(stored, cell):
    "What the cell prints now beside what it stored, as short lines; empty when they agree"
    may_vary = varies(cell)
    old, new = comparable(stored, may_vary), comparable(cell.outputs, may_vary)
    lines = [line[:MAX_DIFF_WIDTH] for line in difflib.unified_diff(old, new, n=0, lineterm='')
             if not line.startswith(('---', '+++', '@@'))]
    if len(lines) > MAX_DIFF_LINES:
        lines[MAX_DIFF_LINES:] = [f'... and {len(lines)-MAX_DIFF_LINES} more lines']
    return lines


def kernel_environment(home, full):
    "Variables for the kernel: those of this process, without what would hide how the notebook runs by itself"
    hidden = ('PYTHONPATH', 'MPLBACKEND', 'COLUMNS', 'LINES', QUICK)
    env = {k: v for k, v in os.environ.items() if k not in hidden}
    env.update(PATH=f'{Path(sys.executable).parent}{os.pathsep}{env.get("PATH", "")}', RESUME_BERT_HOME=home,
               HF_HUB_OFFLINE='1', TOKENIZERS_PARALLELISM='false')
    return env if full else env | {QUICK: '1'}


def execute(nb, folder, full, tries=3):
    "Run the cells of a notebook in place; returns the error as lines, if there is one"
    failed = []
    client = NotebookClient(nb, timeout=None, kernel_name='python3', store_widget_state=False, record_timing=False,
                            skip_cells_with_tag=SKIP_TAG, resources={'metadata': {'path': str(folder)}},
                            extra_arguments=['--log-level=ERROR'],
                            on_cell_error=lambda cell, cell_index, execute_reply: failed.append(cell.id))
    with tempfile.TemporaryDirectory() as home:
        try:
            client.execute(env=kernel_environment(home, full))
        except CellExecutionError as e:
            lines = [line for line in ANSI.sub('', str(e)).splitlines() if line.strip()]
            return [f'cell {failed[0]} raised an error:', *lines[1:]]
        except DeadKernelError:
            return ['the kernel died (out of memory?)']
        except RuntimeError as e: # it did not start: two kernels that start together may choose one port
            return execute(nb, folder, full, tries-1) if tries > 1 else [f'the kernel cannot start: {e}']
    return []


def write(nb, path):
    "Write a notebook as `nbdev_clean` leaves it; warns when it is large or names a folder of this machine"
    from execnb.nbio import nb2str
    from nbdev.clean import clean_nb
    from nbformat.v4.rwbase import split_lines
    nb = split_lines(copy.deepcopy(nb))
    clean_nb(nb, allowed_metadata_keys=settings().get('allowed_metadata_keys', '').split())
    nb['metadata'].pop('widgets', None)
    text = nb2str(nb)
    path.write_text(text, encoding='utf-8', newline='\n')
    if (kb := len(text.encode())/1024) > MAX_KB:
        print(f'  warning: {kb:.0f} KB, more than {MAX_KB}')
    here = re.compile('|'.join(re.escape(f'{place}{os.sep}') for place in (ROOT, sys.prefix, Path.home())))
    for cell in nb['cells']:
        if m := here.search(str(cell.get('outputs', ''))):
            print(f'  warning: an output of cell {cell["id"]} names {m[0]}')


def settings():
    "The section of settings.ini"
    config = ConfigParser(delimiters=['='])
    config.read(ROOT/'settings.ini', encoding='utf-8')
    return config['DEFAULT']


def peak():
    "Largest memory of a finished kernel or of a process that it started, as text; '' where the system does not say"
    if not resource:
        return ''
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return f'{used//(2**20 if sys.platform == "darwin" else 1024)} MB'


def run(path, flags='', full=False, update=False):
    "Run one notebook, then compare or update it; returns (faults as lines, a remark)"
    nb = nbformat.read(path, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == 'code']
    compared = full or not any(QUICK in cell.source for cell in code)
    if update and not compared:
        return [f'reads {QUICK}: update it with --full'], ''
    skip = set(settings()['tst_flags'].split()) - set(flags.split())
    executed = [cell for cell in code if not is_skipped(cell, skip)]
    for cell in code:
        if cell not in executed:
            cell.metadata.tags = [SKIP_TAG]
    stored = {cell.id: cell.outputs for cell in executed}
    if error := execute(nb, path.parent, full):
        return error, ''
    if update:
        for cell in executed:
            cell.outputs = tidy(cell.outputs)
        write(nb, path)
        return [], 'updated'
    if not compared:
        return [], f'not compared: reads {QUICK}'
    faults = []
    for cell in executed:
        if lines := difference(stored[cell.id], cell):
            faults += [f'cell {cell.id}: stored (-) and fresh (+) differ', *lines]
    return faults, ''


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='+', type=Path, metavar='NOTEBOOK')
    p.add_argument('--update', action='store_true', help='write the fresh outputs into the notebooks')
    p.add_argument('--flags', default='', help='run cells with these tst_flags too, e.g. "slow"')
    p.add_argument('--full', action='store_true', help=f'run tutorials in full, without {QUICK}')
    a = p.parse_args()
    installed = find_spec('resume_bert')
    if not installed or not Path(installed.origin).is_relative_to(ROOT):
        where = Path(installed.origin).parent if installed else 'nowhere'
        sys.exit(f'notebook.py: resume_bert is imported from {where}; install this copy first: pip install -e .')
    failed = 0
    for path in a.notebooks:
        start = time.time()
        faults, remark = run(path.resolve(), a.flags, a.full, a.update)
        failed += bool(faults)
        about = ', '.join(filter(None, [peak(), remark]))
        print(f'{"FAILED" if faults else "ok":6} {time.time()-start:6.1f}s  {path}  ({about})', flush=True)
        for line in faults:
            print('  '+line, flush=True)
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
