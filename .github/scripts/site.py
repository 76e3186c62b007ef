"""Check a built site: links, anchors, nothing fetched from elsewhere, an entry per name, an example per function.

usage: python .github/scripts/site.py SITE     prints a line per fault; exit code 1 if there is one
"""
import ast
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
from lxml import html

ROOT = Path(__file__).parents[2]
FETCHED = dict(img='src', script='src', iframe='src', source='src', video='src', object='data')
FETCHED_LINKS = {'stylesheet', 'icon', 'preload'}                # `rel` of a <link> that a browser loads
EXTERNAL = re.compile(r'(https?:)?//')
NOT_SHOWN = re.compile(r'^\s*#\|\s*(export|hide)', re.M)


def read(site):
    return {f.resolve(): html.parse(str(f)).getroot() for f in sorted(site.rglob('*.html'))}


def anchors(root):
    return set(root.xpath('//@id')) | set(root.xpath('//a/@name'))


def is_fetched(element):
    rel = set((element.get('rel') or '').split())
    return element.tag in FETCHED or (element.tag == 'link' and bool(rel & FETCHED_LINKS))


def link_fault(file, element, url, ids):
    "What is wrong with one link; None for a good one and for one to another site"
    if EXTERNAL.match(url):
        return f'fetched from elsewhere: {url}' if is_fetched(element) else None
    if not url or urlsplit(url).scheme:
        return None
    path, anchor = urldefrag(url)
    target = (file.parent/unquote(path.split('?')[0])).resolve() if path else file
    if target.is_dir():
        target /= 'index.html'
    if not target.exists():
        return f'no such page: {url}'
    if anchor and element.tag == 'a' and target in ids and unquote(anchor) not in ids[target]:
        return f'no such anchor: {url}'
    return None


def links(site, pages):
    "Broken links between the pages, and what they fetch from outside the site"
    ids = {file: anchors(root) for file, root in pages.items()}
    for file, root in pages.items():
        name = file.relative_to(site.resolve()).as_posix()
        for element in root.iter('a', 'link', *FETCHED):
            url = element.get(FETCHED.get(element.tag, 'href')) or ''
            if fault := link_fault(file, element, url, ids):
                yield f'{name}: {fault}'
        for css in root.xpath('//style/text()'):
            if re.search(r'url\(\s*["\']?(https?:)?//', css):
                yield f'{name}: a style fetches something'


def is_patched(node):
    "Is the function attached to a class by `@patch`?"
    called = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(isinstance(d, ast.Name) and d.id == 'patch' for d in called)


def public_names(module):
    "The names in `__all__` of a module, and those of its public functions and patched methods"
    tree = ast.parse((ROOT/'resume_bert'/f'{module.replace(".", "/")}.py').read_text(encoding='utf-8'))
    lists = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__']
    public = ast.literal_eval(lists[0]) if lists else []
    defs = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith('_')]
    classes = {n: ast.unparse(n.args.args[0].annotation).split(' | ') for n in defs if is_patched(n)}
    methods = [f'{cls}.{n.name}' for n, of in classes.items() for cls in of if not cls.startswith('_')]
    functions = {n.name for n in defs if n not in classes and n.name in public}
    return [*public, *methods], functions


def names(site, pages):
    "Public names without an entry, and public functions without an example on their page"
    nbs = ROOT/'nbs'
    for file in sorted(nbs.rglob('[0-9]*_*.ipynb')):
        cells = [c.source for c in nbformat.read(file, 4).cells if c.cell_type == 'code']
        module = next((m[1] for c in cells if (m := re.search(r'^\s*#\|\s*default_exp\s+(\S+)', c, re.M))), None)
        if not module:
            continue
        public, functions = public_names(module)
        examples = '\n'.join(c for c in cells if not NOT_SHOWN.search(c))
        rel = file.relative_to(nbs)
        page = (site/rel.with_name(re.sub(r'^\d+_', '', rel.stem) + '.html')).resolve()
        shown = anchors(pages[page]) if page in pages else set()
        for name in public:                          # classes are shown by the functions that return them
            if name.lower() not in shown:
                yield f'{rel.as_posix()}: {name} has no entry in the reference'
            if name in functions and not re.search(rf'\b{name}\b', examples):
                yield f'{rel.as_posix()}: {name} has no example'


def main(site):
    pages = read(site)
    faults = list(dict.fromkeys([*links(site, pages), *names(site, pages)]))
    print(*faults, f'{len(pages)} pages, {len(faults)} faults', sep='\n')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
