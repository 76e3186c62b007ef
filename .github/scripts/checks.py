"""The rules of the house that no linter knows, as a test: one line per fault, then `N faults`; exit code 1 if any.

Rooms: the modules of the package
    - `.github/house.txt` lists them from the ground up. A room imports only from rooms listed above it in that file,
      inside functions too; so there is no circle. No room imports another room's private names (`_name`).
    - A room has at most 420 lines.
Pages: the notebooks
    - One page writes one room and is called after it: `documents/50_pdf` writes `documents.pdf`. No number is used
      twice.
    - Every function, class and public method that a page exports is named in a code cell further down that exports
      nothing: as an example, an assertion or both. Exempt are dunder methods and what a class overrides of a
      library's class, because the library calls it.
    - Lines of code have at most 120 columns, except within a string of several lines.
Prose: Markdown, comments, docstrings and messages
    - `.github/prose.txt` lists turns of phrase to avoid, each with a better one.

With --report, prints measures of density per room instead, and fails at nothing.
"""
import argparse
import ast
import io
import json
import re
import sys
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT/'resume_bert'
ROOF = ('__init__', '__main__', '_modidx')      # they import from anywhere, and no room imports them
MAX_LINES, MAX_COLUMNS = 420, 120
EXPORT = re.compile(r'^\s*#\|\s*export', re.M)
DEFAULT_EXP = re.compile(r'^\s*#\|\s*default_exp\s+(\S+)', re.M)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# Rooms

@dataclass
class Room:
    "A module of the package"
    name: str          # within the package: `core`, `documents.pdf`
    path: Path

    @cached_property
    def source(self):
        return self.path.read_text(encoding='utf-8')

    @cached_property
    def tree(self):
        return ast.parse(self.source)

    def imports(self):
        "(absolute name of a module, names taken from it, line) for every import from the package"
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, [], node.lineno
            elif isinstance(node, ast.ImportFrom):
                base = f'{PACKAGE.name}.{self.name}'.split('.')[:-node.level] if node.level else []
                yield '.'.join(base+[node.module]*bool(node.module)), [a.name for a in node.names], node.lineno


def rooms():
    "The modules of the package by name"
    paths = [p for p in sorted(PACKAGE.rglob('*.py')) if p.stem not in ROOF]
    names = ['.'.join(p.relative_to(PACKAGE).with_suffix('').parts) for p in paths]
    return {name: Room(name, path) for name, path in zip(names, paths)}


def listed(path):
    "The lines of a list without blank ones and comments"
    lines = path.read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line.strip() and not line.startswith('#')]


def targets(room, house):
    "(name of a room or other module of the package, names taken from it, line) for every import from the package"
    for module, names, line in room.imports():
        if module.split('.')[0] != PACKAGE.name:
            continue
        inside, taken = module.partition('.')[2], []
        for name in names:
            dotted = f'{inside}.{name}'.strip('.')
            if dotted in house:
                yield dotted, [], line
            else:
                taken.append(name)
        if taken or not names:
            yield inside, taken, line


def check_rooms(house):
    "Order, private names and size"
    order = [line.strip() for line in listed(ROOT/'.github'/'house.txt')]
    for name, n in Counter(order).items():
        if name not in house:
            yield f'.github/house.txt: lists {name}, which is not a module'
        if n > 1:
            yield f'.github/house.txt: lists {name} {n} times'
    for name, room in house.items():
        where = room.path.relative_to(ROOT)
        if name not in order:
            yield f'.github/house.txt: does not list {name}'
            continue
        if (n := len(room.source.splitlines())) > MAX_LINES:
            yield f'{where}: {n} lines, more than {MAX_LINES}'
        for target, taken, line in targets(room, house):
            if target in order and order.index(target) >= order.index(name):
                yield f'{where}:{line}: imports {target}, which is not above {name} in house.txt'
            elif target not in house and taken != ['__version__']:
                module = f'{PACKAGE.name}.{target}'.strip('.')
                yield f'{where}:{line}: imports from {module}, which is not a room'
            for private in taken:
                if private.startswith('_') and not private.startswith('__'):
                    yield f'{where}:{line}: imports the private name {private} of {target}'


# Pages

@dataclass
class Cell:
    id: str
    kind: str          # code or markdown
    source: str

    @property
    def exported(self):
        return self.kind == 'code' and bool(EXPORT.search(self.source))

    @cached_property
    def tree(self):
        "The syntax tree; empty where the cell is not pure Python"
        try:
            return ast.parse(self.source)
        except SyntaxError:
            return ast.parse('')

    @cached_property
    def tokens(self):
        "The tokens up to where the cell is no longer Python"
        found = []
        try:
            found.extend(tokenize.generate_tokens(io.StringIO(self.source).readline))
        except (tokenize.TokenError, SyntaxError):
            pass
        return found


class Page:
    "A notebook"
    def __init__(self, path):
        self.path, self.where = path, path.relative_to(ROOT)
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        self.cells = [Cell(c.get('id', str(i)), c['cell_type'], ''.join(c['source'])) for i, c in enumerate(cells)]
        self.code = [c for c in self.cells if c.kind == 'code']
        self.room = next((m[1] for c in self.code if (m := DEFAULT_EXP.search(c.source))), None)


def pages():
    "The notebooks"
    paths = [p for p in sorted((ROOT/'nbs').rglob('*.ipynb')) if not re.search(r'/[._]', p.as_posix())]
    return [Page(p) for p in paths]


def check_numbers(book):
    "One number a page, and the name of its room"
    seen = {}
    for page in book:
        if not page.room:
            continue
        number, _, name = page.path.stem.partition('_')
        folder = '.'.join(page.path.relative_to(ROOT/'nbs').parts[:-1])
        if not number.isdigit() or f'{folder}.{name}'.strip('.') != page.room:
            yield f'{page.where}: exports {page.room}, so its name should be a number and that name'
        if first := seen.setdefault(number, page.where):
            if first != page.where:
                yield f'{page.where}: has the same number as {first}'


def definitions(body):
    "Functions and classes at the top of a module, those under `if`, `try` and `with` among them"
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ('body', 'orelse', 'finalbody'):
                yield from definitions(getattr(node, part, []))


def is_patch(node):
    "Whether a function is attached to a class by `@patch`"
    return any(ast.unparse(d).partition('(')[0].endswith('patch') for d in node.decorator_list)


def imported(page):
    "Names that a page imports from other packages"
    found = set()
    for node in (n for c in page.code if c.exported for n in ast.walk(c.tree)):
        outside = isinstance(node, ast.Import) or isinstance(node, ast.ImportFrom) and not (
            node.level or (node.module or '').startswith(PACKAGE.name))
        if outside:
            found |= {(a.asname or a.name).split('.')[0] for a in node.names}
    return found


def needs_example(page):
    "(position of the cell, name, pattern of its use) for all that a page exports"
    foreign = imported(page)
    for i, cell in enumerate(page.code):
        for node in definitions(cell.tree.body) if cell.exported else []:
            methods = []
            if isinstance(node, ast.ClassDef):
                yield i, node.name, rf'\b{node.name}\b'
                if not {ast.unparse(b).split('.')[0] for b in node.bases} & foreign:
                    methods = [m for m in node.body if isinstance(m, FUNCTIONS)]
            elif is_patch(node):
                methods = [node]
            else:
                yield i, node.name, rf'\b{node.name}\b'
            for method in methods:
                if not method.name.startswith('_'):
                    yield i, f'.{method.name}', rf'\.{method.name}\b'


def check_examples(book):
    "What is exported is shown"
    for page in book:
        for i, name, pattern in needs_example(page):
            below = '\n'.join(c.source for c in page.code[i+1:] if not c.exported)
            if not re.search(pattern, below):
                yield f'{page.where}: {name} (cell {page.code[i].id}) has no example below it'


def within_strings(tokens):
    "Numbers of the lines that lie within a string of several lines"
    rows, opened = set(), []
    for token in tokens:
        kind = tokenize.tok_name[token.type]
        if kind == 'FSTRING_START':                      # Python 3.12 and later take f-strings apart
            opened.append(token.start[0])
        elif kind in ('STRING', 'FSTRING_END'):
            first, last = opened.pop() if kind == 'FSTRING_END' else token.start[0], token.end[0]
            rows |= set(range(first, last+1)) if first < last else set()
    return rows


def check_columns(book):
    "The width of code, exported or not; ruff looks at everything else"
    for page in book:
        for cell in page.code:
            exempt = set() if cell.exported else within_strings(cell.tokens)
            for row, line in enumerate(cell.source.splitlines(), 1):
                if len(line) > MAX_COLUMNS and row not in exempt:
                    yield f'{page.where}: cell {cell.id}, line {row} has {len(line)} columns'


# Prose

def passages(tokens):
    "Comments and strings"
    for token in tokens:
        if tokenize.tok_name[token.type] in ('COMMENT', 'STRING', 'FSTRING_MIDDLE'):
            yield token.string


def texts(book):
    "(where, text) for all that people read"
    for page in book:
        for cell in page.cells:
            for text in passages(cell.tokens) if cell.kind == 'code' else re.split(r'\n\s*\n', cell.source):
                yield f'{page.where}: cell {cell.id}', text
    for path in sorted(PACKAGE.rglob('*.py')):
        source = path.read_text(encoding='utf-8')
        if 'AUTOGENERATED' not in source:
            for text in passages(Cell(path.name, 'code', source).tokens):
                yield str(path.relative_to(ROOT)), text
    for path in [*sorted(PACKAGE.rglob('*.md')), *sorted((ROOT/'.github').glob('*.md')), ROOT/'CHANGELOG.md']:
        for text in re.split(r'\n\s*\n', path.read_text(encoding='utf-8')):
            yield str(path.relative_to(ROOT)), text


def check_prose(book):
    "Turns of phrase to avoid"
    habits = [line.split('\t') for line in listed(ROOT/'.github'/'prose.txt')]
    habits = [(re.compile(pattern), better) for pattern, better in habits]
    for where, text in texts(book):
        text = ' '.join(text.split())
        for pattern, better in habits:
            for m in pattern.finditer(text):
                yield f'{where}: "{m[0]}": {better}'


# Density

def branches(fn):
    "McCabe's complexity of a function, as radon counts it; a function inside it counts for itself"
    n, nodes = 1, list(ast.iter_child_nodes(fn))
    while nodes:
        node = nodes.pop()
        if isinstance(node, FUNCTIONS):
            continue
        nodes += ast.iter_child_nodes(node)
        n += isinstance(node, (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert,
                               ast.match_case))
        n += len(node.values)-1 if isinstance(node, ast.BoolOp) else 0
        n += 1+len(node.ifs) if isinstance(node, ast.comprehension) else 0
    return n


def bound(node):
    "The name that a node binds: as a variable, a parameter or an exception"
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.ExceptHandler) else None


def is_nested(comprehension):
    "Whether it has several loops or another comprehension inside"
    inner = [n for n in ast.walk(comprehension) if isinstance(n, COMPREHENSIONS)]
    return len(inner) > 1 or len(comprehension.generators) > 1


@dataclass
class Density:
    "Counts of one room, or of several added up"
    widths: list
    comprehensions: int
    nested: int
    semicolons: int
    names: list
    complexities: list

    @classmethod
    def of(cls, room):
        nodes = list(ast.walk(room.tree))
        found = [n for n in nodes if isinstance(n, COMPREHENSIONS)]
        tokens = Cell(room.name, 'code', room.source).tokens
        return cls(widths=[len(line) for line in room.source.splitlines() if line.strip()],
                   comprehensions=len(found), nested=sum(map(is_nested, found)),
                   semicolons=sum(t.type == tokenize.OP and t.string == ';' for t in tokens),
                   names=[name for n in nodes if (name := bound(n))],
                   complexities=[branches(n) for n in nodes if isinstance(n, FUNCTIONS)])

    def __add__(self, other):
        return Density(*(a+b for a, b in zip(vars(self).values(), vars(other).values())))

    def row(self):
        "The measures as a line of the report"
        lines, short = len(self.widths), sum(len(n) == 1 for n in self.names)
        p95 = sorted(self.widths)[int(.95*lines)] if lines else 0
        wide = sum(w > MAX_COLUMNS for w in self.widths)
        per_1000 = 1000/max(lines, 1)
        mean = sum(self.complexities)/max(len(self.complexities), 1)
        over = [sum(c > limit for c in self.complexities) for limit in (12, 20)]
        return (f'{lines:6} {p95:5} {wide/max(lines, 1):7.1%} {self.comprehensions*per_1000:6.0f} '
                f'{self.nested*per_1000:6.0f} {self.semicolons*per_1000:5.0f} {short/max(len(self.names), 1):10.0%} '
                f'{mean:10.1f} {over[0]:4} {over[1]:4}')


def report(house):
    "Measures of density; comprehensions and semicolons are per 1,000 lines, blank lines do not count"
    print(f'{"room":24} {"lines":>6} {"p95":>5} {">120":>7} {"compr.":>6} {"nested":>6} {";":>5} {"one-letter":>10} '
          f'{"complexity":>10} {">12":>4} {">20":>4}')
    total = Density([], 0, 0, 0, [], [])
    for name, room in house.items():
        density = Density.of(room)
        total += density
        print(f'{name:24} {density.row()}')
    print(f'{"all":24} {total.row()}')
    largest = max(house.values(), key=lambda room: len(room.source.splitlines()))
    print(f'largest room: {largest.name}, {len(largest.source.splitlines())} lines with blank ones')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--report', action='store_true', help='print measures of density per room')
    a = p.parse_args()
    house = rooms()
    if a.report:
        return report(house)
    book = pages()
    faults = [*check_rooms(house), *check_numbers(book), *check_examples(book), *check_columns(book),
              *check_prose(book)]
    print(*faults, f'{len(faults)} faults', sep='\n')
    sys.exit(bool(faults))


if __name__ == '__main__':
    main()
