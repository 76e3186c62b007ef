"""Write the project's address, which settings.ini holds, into every file that shows it.

usage: python .github/scripts/address.py           rewrite what is stale
       python .github/scripts/address.py --check   change nothing; list what is stale and exit with 1

The settings are `git_url`, `branch`, `doc_host`, `doc_baseurl` and `lib_name`. They appear in Colab badges, install
cells, `!wget` lines, clone commands, links to the repository and the docs, CITATION.cff, the issue templates, and in
generated files (README.md, the package and its index). A page for Colab is also given the badge and the install cell
that it lacks. The runs of released versions in nbs/fixtures stay as they were released.
"""
import json
import re
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FROZEN = 'nbs/fixtures/'
COLAB_FOLDERS = 'tutorials', 'concepts'      # these pages open in Colab, and so does every page that exports a module
EXTRAS = dict(tables='offline,data', documents='offline,pdf', fields='offline,pdf', privacy='offline,pdf',
              tutorials='offline,pdf')
UNTRACKED = {'.git', '.venv', 'build', 'dist', '_docs', '_proc', 'runs', '__pycache__'}    # for a copy without git

HUB = re.compile(r'(?P<host>github\.com[/:]|raw\.githubusercontent\.com/|colab\.research\.google\.com/github/)'
                 r'(?P<owner>[\w-]+)/(?P<name>[\w-]+(?:\.[\w-]+)*)(?P<path>(?:/[^\s"\'`()#<>\\]*)?)')
PATH = re.compile(r'/(?:(?P<view>blob|tree|raw|edit)/)?(?P<branch>[\w.-]+)/(?P<file>.+)')
PAGES = re.compile(r'https?://(?P<owner>[\w-]+)\.github\.io(?:/(?P<first>[\w-]+)(?![\w.-]))?')
CLONE = re.compile(r'(git clone \S+ && cd )([\w.-]+)')
INSTALL = re.compile(r'(%pip install (?:-\w+ )*)"?[\w.-]+(?P<extras>\[[\w,]*\])? @ git\+[^\s"]+"?')
BADGE = re.compile(r'<a href="https://colab\.research\.google\.com/github/[^"]*"[^>]*>\s*<img [^>]*>\s*</a>\n*|'
                   r'\[!\[[^]]*\]\([^)]*colab-badge\.svg\)\]\([^)]*\)\n*')
BADGE_CELL = ('<a href="https://colab.research.google.com/github/{slug}/blob/{branch}/{file}" target="_parent">'
              '<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>')
GUARD = "if 'google.colab' in sys.modules:"
INSTALL_CELL = ['#| hide', '#| eval: false', 'import sys', GUARD, '    %pip install -q "{what}"']


def settings(root=ROOT):
    "The section of settings.ini"
    ini = ConfigParser(delimiters=['='])
    ini.read(root/'settings.ini', encoding='utf-8')
    return ini['DEFAULT']


@dataclass
class Address:
    "Where the project lives, and the addresses that it may have had before"
    url: str          # https://github.com/OWNER/NAME
    branch: str
    docs: str         # root of the docs site, without a slash at its end
    lib: str          # name of the package
    old: set = field(default_factory=set)    # OWNER/NAME, as badges and CITATION.cff give it
    old_docs: str = ''                       # as CITATION.cff gives it

    @property
    def slug(self):
        return self.url.removeprefix('https://github.com/')

    @property
    def names(self):
        return {self.lib, self.lib.replace('_', '-'), self.slug.split('/')[1]}

    @property
    def owners(self):
        return {slug.split('/')[0].lower() for slug in self.old | {self.slug}}

    def is_ours(self, slug):
        return slug in self.old or slug.split('/')[1] in self.names

    def requirement(self, extras=''):
        return f'{self.lib}{extras} @ git+{self.url}'

    @classmethod
    def read(cls, root=ROOT):
        "From settings.ini; earlier addresses from the files that were written last time"
        cfg = settings(root)
        url = cfg['git_url'].rstrip('/').removesuffix('.git')
        if not re.fullmatch(r'https://github\.com/[\w-]+/[\w.-]+', url):
            sys.exit(f'settings.ini: git_url is {url}, but Colab needs https://github.com/OWNER/NAME')
        docs = cfg['doc_host'].rstrip('/') + cfg['doc_baseurl'].rstrip('/')
        here = cls(url, cfg['branch'], docs, cfg['lib_name'])
        cited = dict(re.findall(r'^(url|repository-code): *"([^"]+)"', text_of(root/'.github/CITATION.cff'), re.M))
        here.old_docs = cited.get('url', '').rstrip('/')
        shown = [cited.get('repository-code', '')] + [b for f in root.glob('nbs/**/*.ipynb') for b in badges(f)]
        here.old = {f'{m["owner"]}/{m["name"]}' for link in shown if (m := HUB.search(link))}
        return here


def badges(notebook):
    return re.findall(r'https://colab\.research\.google\.com/github/[^"\\)]+', text_of(notebook))


def text_of(file):
    "The text of a file; empty for a binary file and for one that does not exist"
    try:
        text = file.read_bytes().decode('utf-8')
    except (UnicodeDecodeError, FileNotFoundError):
        return ''
    return '' if '\0' in text else text


def text_files(root):
    "Every file that git tracks or would track, with its text"
    if (root/'.git').exists():
        listed = subprocess.check_output(['git', 'ls-files', '-z', '-co', '--exclude-standard'], cwd=root)
        files = [root/name for name in listed.decode().split('\0') if name]
    else:
        files = [f for f in root.rglob('*') if f.is_file() and not UNTRACKED & set(f.relative_to(root).parts)]
    for file in sorted(set(files)):
        if text := text_of(file):
            yield file.relative_to(root).as_posix(), text


class Page:
    "One file: its new text in `text`, what was stale in `stale`, and in `wrong` what a person has to mend"
    def __init__(self, here, root, file, text):
        self.here, self.root, self.file, self.text = here, root, file, text
        self.stale, self.wrong = [], []

    def replace(self, pattern, new):
        "Replace every match by `new(match)` and remember those that change"
        def put(match):
            text = new(match)
            if text != match[0]:
                self.stale.append(f'has {match[0].strip()}, not {text.strip()}')
            return text
        self.text = pattern.sub(put, self.text)

    def rewrite(self):
        if self.file == 'settings.ini':
            self.owner_and_name()
        elif self.file.endswith('/_modidx.py'):
            self.index()
        else:
            self.addresses()
            if self.file.endswith('.ipynb') and self.file.startswith('nbs/'):
                self.notebook()
        return self

    def owner_and_name(self):
        "`user` and `repo` are parts of `git_url`"
        owner, name = self.here.slug.split('/')
        cfg = settings(self.root)
        for key, value in dict(user=owner, repo=name).items():
            if cfg.get(key, value) != value:
                self.replace(re.compile(rf'(?m)^({key} *= *).*$'), lambda m, value=value: m[1] + value)

    def index(self):
        "nbdev's index repeats some settings"
        cfg = settings(self.root)
        for key in ('branch', 'doc_baseurl', 'doc_host', 'git_url'):
            self.replace(re.compile(rf"('{key}': )'[^']*'"), lambda m, key=key: f"{m[1]}'{cfg[key]}'")

    def addresses(self):
        "Links to the repository and to the docs, and commands that clone it"
        here = self.here
        self.replace(HUB, self.hub)
        if here.old_docs and here.old_docs != here.docs:
            both = '|'.join(re.escape(docs) for docs in sorted((here.docs, here.old_docs), key=len, reverse=True))
            self.replace(re.compile(rf'(?:{both})(?![\w-])'), lambda m: here.docs)
        self.replace(PAGES, self.docs)
        if here.url in self.text:
            name = here.slug.split('/')[1]
            self.replace(CLONE, lambda m: m[1] + name if f'{here.url} ' in m[1] else m[0])

    def hub(self, m):
        name, here = m['name'].removesuffix('.git'), self.here
        if not here.is_ours(f'{m["owner"]}/{name}'):
            return m[0]
        path, raw = m['path'], m['host'].startswith('raw.')
        inside = PATH.fullmatch(path)
        if inside and (raw or inside['view']):
            view = f'/{inside["view"]}' if inside['view'] else ''
            path = f'{view}/{here.branch}/{inside["file"]}'
            target = inside['file'].rstrip('.,;:')
            own_badge = 'colab' in m['host']                      # the path of a badge is mended in `notebook`
            if not own_badge and not (self.root/target).exists():
                self.wrong.append(f'links to {target}, which does not exist')
        return f'{m["host"]}{here.slug}{".git" if m["name"].endswith(".git") else ""}{path}'

    def docs(self, m):
        here = self.here
        if m.string.startswith(here.docs, m.start()):
            return m[0]
        ours = m['first'] in here.names or (not m['first'] and m['owner'].lower() in here.owners)
        return here.docs if ours else m[0]

    def notebook(self):
        "The badge and the install cell of a page for Colab"
        try:
            nb = json.loads(self.text)
        except ValueError:
            self.wrong.append('is not valid JSON')
            return
        sources = [''.join(c['source']) for c in nb['cells']]
        folder = self.file.split('/')[1]
        exports = any(re.search(r'^#\| *default_exp\b', s, re.M) for s in sources)
        has_badge = any(BADGE.fullmatch(s.strip()) for s in sources)
        if not (exports or folder in COLAB_FOLDERS or has_badge):
            return
        before = len(self.stale)
        self.badge(nb['cells'])
        self.install(nb['cells'], EXTRAS.get(folder, 'offline'))
        if len(self.stale) > before:
            self.text = json.dumps(nb, indent=1, ensure_ascii=False) + '\n'

    def badge(self, cells):
        "A cell of its own after the title, with the page's own path"
        want = BADGE_CELL.format(slug=self.here.slug, branch=self.here.branch, file=self.file)
        is_title = [c['cell_type'] == 'markdown' and ''.join(c['source']).startswith('# ') for c in cells]
        if True not in is_title:
            self.wrong.append('has no title cell')
            return
        at = is_title.index(True) + 1
        if at < len(cells) and ''.join(cells[at]['source']) == want:
            return
        shown = [c for c in cells if c['cell_type'] == 'markdown' and BADGE.search(''.join(c['source']))]
        alone = [c for c in shown if BADGE.fullmatch(''.join(c['source']))]
        for c in shown:
            c['source'] = lines(BADGE.sub('', ''.join(c['source'])))
        cells[:] = [c for c in cells if not any(c is a for a in alone)]
        cells.insert(at, cell('markdown', want, alone[0].get('id') if alone else free_id('badge', cells)))
        self.stale.append(f'needs a badge for {self.file} in a cell of its own after the title')

    def install(self, cells, extras):
        "A cell that installs the package, in Colab only"
        found = False
        for c in cells:
            source = ''.join(c['source'])
            if c['cell_type'] != 'code' or not (m := INSTALL.search(source)):
                continue
            found = True
            new = source.replace(m[0], f'{m[1]}"{self.here.requirement(m["extras"] or "")}"')
            if new != source:
                self.stale.append(f'installs from {m[0]}')
                c['source'] = lines(new)
            if GUARD not in source or not re.search(r'^#\| *eval: *false', source, re.M):
                self.wrong.append(f'installs without `#| eval: false` and `{GUARD}`')
        if not found:
            last = max(i for i, c in enumerate(cells[:4]) if i < 2 or 'default_exp' in ''.join(c['source']))
            source = '\n'.join(INSTALL_CELL).format(what=self.here.requirement(f'[{extras}]'))
            cells.insert(last+1, cell('code', source, free_id('install', cells)))
            self.stale.append('has no install cell')


def lines(text):
    return text.splitlines(keepends=True)


def cell(kind, source, name):
    "A notebook cell, its keys in the order in which nbdev writes them"
    run = dict(execution_count=None) if kind == 'code' else {}
    rest = dict(outputs=[]) if kind == 'code' else {}
    return dict(cell_type=kind, **run, id=name, metadata={}, **rest, source=lines(source))


def free_id(name, cells):
    taken = {c.get('id') for c in cells}
    return next(i for i in (name, *(f'{name}-{n}' for n in range(len(taken)))) if i not in taken)


def main(check, root=ROOT):
    here = Address.read(root)
    pages = [Page(here, root, file, text).rewrite() for file, text in text_files(root) if not file.startswith(FROZEN)]
    wrong = [f'{p.file}: {what}' for p in pages for what in dict.fromkeys(p.wrong)]
    stale = [p for p in pages if p.stale]
    if check:
        wrong = [f'{p.file}: {what}' for p in stale for what in dict.fromkeys(p.stale)] + wrong
    else:
        for p in stale:
            (root/p.file).write_bytes(p.text.encode('utf-8'))
            print(f'{p.file}: {len(p.stale)} changed')
    print(*wrong, sep='\n', end='\n'*bool(wrong))
    hint = '; run python .github/scripts/address.py' if check and stale else ''
    print(f'{here.url}: {len(pages)} files, {len(wrong)} faults{hint}')
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main('--check' in sys.argv))
