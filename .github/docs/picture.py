"""nbs/images/resume.svg: the resume of the second tutorial, plain and in its sections, as the stored output there has it.

usage: python .github/docs/picture.py
"""
import re
from html import escape, unescape
from pathlib import Path
import nbformat
from lxml import html

NBS, WIDTH, ROW, LINES = Path(__file__).parents[2]/'nbs', 860, 17, 24

def blocks():
    "(section, colour, lines) as the tutorial shows them"
    nb = nbformat.read(NBS/'tutorials/02_pdf_to_json_resume.ipynb', 4)
    out = next(o.data['text/html'] for c in nb.cells if c.cell_type == 'code' and c.source.rstrip().endswith('\nlabelled') for o in c.outputs if 'text/html' in o.get('data', {}))
    for b in html.fromstring(out).xpath('./div'):
        head, *lines = b.xpath('./div')
        yield head.text_content(), re.search(r'#\w+', b.get('style'))[0], [x.text_content() for x in lines]

def cut(text, n): return escape(text if len(text) <= n else text[:n-1]+'…')

def draw():
    bs, left, right, y, n = list(blocks()), [], [], 34, 0
    for section, colour, lines in bs:
        if n + len(lines) > LINES: break
        right.append(f'<rect x="400" y="{y-12}" width="4" height="{ROW*(len(lines)+1)-3}" rx="2" fill="{colour}"/><text x="412" y="{y}" fill="{colour}" font-size="11" font-weight="600">{escape(section)}</text>')
        for line in lines:
            n += 1
            y += ROW
            right.append(f'<text x="412" y="{y}">{cut(line, 68)}</text>')
        y += ROW + 7
    texts = [t for _, _, ls in bs for t in ls][:n]
    step = (y-34)/max(1, len(texts))
    left = [f'<text x="22" y="{34+i*step:.0f}" fill="#666">{cut(t, 50)}</text>' for i, t in enumerate(texts)]
    style = 'font-family="-apple-system,BlinkMacSystemFont,Segoe UI,Helvetica,Arial,sans-serif" font-size="12.5" fill="#222"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img" aria-label="Lines of a resume on the left, the same lines in their sections on the right" {style}>\n'
            f'<rect width="{WIDTH}" height="{y}" rx="10" fill="#fff"/><path d="M362 {y/2-8:.0f}h14v-6l14 14-14 14v-6h-14z" fill="#bbb"/>\n' + '\n'.join(left+right) + '\n</svg>\n')

if __name__ == '__main__':
    (NBS/'images').mkdir(exist_ok=True)
    (NBS/'images/resume.svg').write_text(draw(), encoding='utf-8')
