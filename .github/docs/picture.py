"""Draw nbs/images/resume.svg: the resume of the second tutorial as plain lines, and beside it in its sections.

usage: python .github/docs/picture.py     (the sections are those of the output stored in that tutorial)
"""
import re
from html import escape
from pathlib import Path

import nbformat
from lxml import html

NBS = Path(__file__).parents[2]/'nbs'
TUTORIAL = NBS/'tutorials/02_pdf_to_json_resume.ipynb'
WIDTH, ROW, TOP = 860, 17, 34     # pixels
LINES = 24                        # of the resume, at most
FONT = '-apple-system,BlinkMacSystemFont,Segoe UI,Helvetica,Arial,sans-serif'
LABEL = 'Lines of a resume on the left, the same lines in their sections on the right'


def stored_html():
    "The HTML output of the cell of the tutorial that ends with `resume`"
    for c in nbformat.read(TUTORIAL, 4).cells:
        if c.cell_type == 'code' and c.source.rstrip().endswith('\nresume'):
            for output in c.outputs:
                if 'text/html' in output.get('data', {}):
                    return output.data['text/html']
    raise SystemExit(f'{TUTORIAL.name} stores no labelled resume')


def blocks():
    "(section, colour, lines) as the tutorial shows them"
    for block in html.fromstring(stored_html()).xpath('./div'):
        head, *lines = block.xpath('./div')
        yield head.text_content(), re.search(r'#\w+', block.get('style'))[0], [x.text_content() for x in lines]


def cut(text, length):
    return escape(text if len(text) <= length else text[:length-1] + '…')


def sections():
    "The SVG elements of the right side, the lines that they show, and the height that they take"
    drawn, shown, y = [], [], TOP
    for section, colour, lines in blocks():
        if len(shown) + len(lines) > LINES:
            break
        height = ROW*(len(lines)+1) - 3
        drawn.append(f'<rect x="400" y="{y-12}" width="4" height="{height}" rx="2" fill="{colour}"/>'
                     f'<text x="412" y="{y}" fill="{colour}" font-size="11" font-weight="600">{escape(section)}</text>')
        for line in lines:
            y += ROW
            drawn.append(f'<text x="412" y="{y}">{cut(line, 68)}</text>')
        shown += lines
        y += ROW + 7
    return drawn, shown, y


def draw():
    right, shown, height = sections()
    step = (height-TOP) / max(1, len(shown))
    left = [f'<text x="22" y="{TOP+i*step:.0f}" fill="#666">{cut(t, 50)}</text>' for i, t in enumerate(shown)]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    style = f'font-family="{FONT}" font-size="12.5" fill="#222"'
    arrow = f'<path d="M362 {height/2-8:.0f}h14v-6l14 14-14 14v-6h-14z" fill="#bbb"/>'
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{LABEL}" {style}>',
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#fff"/>{arrow}',
        *left, *right, '</svg>', ''])


if __name__ == '__main__':
    (NBS/'images').mkdir(exist_ok=True)
    (NBS/'images/resume.svg').write_text(draw(), encoding='utf-8')
