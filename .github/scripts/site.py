"""Check a built site: no broken link or anchor, nothing fetched from elsewhere, every public name has an entry, and every public function an example.

usage: python .github/scripts/site.py SITE      exit code 1 with a line for each fault
"""
import ast, re, sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
import nbformat
from lxml import html

ROOT = Path(__file__).parents[2]
FETCHED = {'img': 'src', 'script': 'src', 'iframe': 'src', 'source': 'src', 'video': 'src', 'object': 'data'}   # and <link rel=stylesheet|icon href>

def read(site): return {f.resolve(): html.parse(str(f)).getroot() for f in sorted(site.rglob('*.html'))}
def anchors(root): return set(root.xpath('//@id')) | set(root.xpath('//a/@name'))

def links(pages):
    "Faults of the links between pages, and resources that are not in the site"
    ids = {f: anchors(r) for f, r in pages.items()}
    for f, root in pages.items():
        for e in root.iter('a', 'link', *FETCHED):
            url = e.get(FETCHED.get(e.tag, 'href')) or ''
            used = e.tag in FETCHED or e.tag == 'link' and set((e.get('rel') or '').split()) & {'stylesheet', 'icon', 'preload'}
            parts = urlsplit(url)
            if parts.scheme in ('http', 'https') or url.startswith('//'):
                if used: yield f'{f.name}: fetched from elsewhere: {url}'
                continue
            if parts.scheme or not url: continue
            path, anchor = urldefrag(url)
            target = (f.parent/unquote(path.split('?')[0])).resolve() if path else f
            if target.is_dir(): target /= 'index.html'
            if not target.exists(): yield f'{f.name}: no such page: {url}'
            elif anchor and e.tag == 'a' and target in ids and unquote(anchor) not in ids[target] and anchor != '': yield f'{f.name}: no such anchor: {url}'
        for css in root.xpath('//style/text()'):
            if re.search(r'url\(\s*["\']?(https?:)?//', css): yield f'{f.name}: a style fetches something'

def names(site, pages):
    "Public names without an entry, or without an example beside them"
    for fn in sorted((ROOT/'nbs').glob('[0-9][0-9]_*.ipynb')):
        cells = [c.source for c in nbformat.read(fn, 4).cells if c.cell_type == 'code']
        mod = next((m[1] for c in cells if (m := re.search(r'^\s*#\|\s*default_exp\s+(\S+)', c, flags=re.M))), None)
        if not mod: continue
        code = ast.parse((ROOT/'resume_bert'/f'{mod.replace(".", "/")}.py').read_text(encoding='utf-8'))
        public = next(([e.value for e in n.value.elts] for n in code.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__'), [])
        examples = '\n'.join(c for c in cells if not re.search(r'^\s*#\|\s*(export|hide)', c, flags=re.M))
        page = (site/f'{re.sub("^[0-9]+_", "", fn.stem)}.html').resolve()
        functions = {n.name for n in code.body if isinstance(n, ast.FunctionDef)}     # classes are shown by the functions that give them
        for n in public:
            if page not in pages or n.lower() not in anchors(pages[page]): yield f'{fn.name}: {n} has no entry in the reference'
            if n in functions and not re.search(rf'\b{n}\b', examples): yield f'{fn.name}: {n} has no example'

def main(site):
    pages = read(site)
    faults = list(dict.fromkeys([*links(pages), *names(site, pages)]))
    print(*faults, f'{len(pages)} pages, {len(faults)} faults', sep='\n')
    sys.exit(bool(faults))

if __name__ == '__main__': main(Path(sys.argv[1]))
