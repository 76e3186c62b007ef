"""Open a built site in headless Chromium: a search, a cross link and the dark mode, then every page, wide in light and narrow in dark
(with --shots: both ways at both widths).

usage: python .github/scripts/browser.py SITE [--shots DIR]      needs Chromium on the machine (or $CHROMIUM) and `pip install playwright`
Fails on a page that is wider than the window, a console error, a request to anywhere else, a search without the right page, a dead cross link.
"""
import argparse, os, shutil, sys
from pathlib import Path
from playwright.sync_api import sync_playwright

WIDTHS, TERM, EXPECTED = (1400, 390), 'temperature', 'evaluation.html'

def chromium():
    return os.environ.get('CHROMIUM') or next((p for n in ('chromium', 'chromium-browser', 'google-chrome') if (p := shutil.which(n))), None) or sys.exit('browser.py: no Chromium here; set CHROMIUM to one')

class Watch:
    "A page that notes console errors and requests that leave the site"
    def __init__(self, page):
        self.page, self.faults, self.where = page, [], ''
        page.on('console', lambda m: m.type == 'error' and self.note(f'console: {m.text}'))
        page.on('pageerror', lambda e: self.note(f'script: {e}'))
        page.on('request', lambda r: r.url.split(':')[0] not in ('file', 'data', 'blob') and self.note(f'request to {r.url}'))
    def note(self, what): self.faults.append(f'{self.where}: {what}')
    def open(self, f, where):
        self.where = where
        self.page.goto(Path(f).resolve().as_uri(), wait_until='load', timeout=120_000)

def wide(page):
    "By how many pixels the page is too wide, and what sticks out"
    return page.evaluate('''() => { const w = innerWidth, d = document.documentElement.scrollWidth - w
        if (d <= 0) return null
        const e = [...document.querySelectorAll("article *")].find(e => e.getBoundingClientRect().right > w+1 && getComputedStyle(e.parentElement).overflowX === "visible")
        return `${d} pixels too wide` + (e ? `, at <${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.slice(0, 40)}` : "") }''')

def pages(w, site, width, scheme, shots):
    for f in sorted(site.rglob('*.html')):
        name = str(f.relative_to(site))
        w.open(f, f'{name} at {width}, {scheme}')
        if what := wide(w.page): w.note(what)
        if not w.page.locator('article h1, article #search-results').count(): w.note('no heading')
        if shots: w.page.screenshot(path=shots/f'{name.replace("/", "_").removesuffix(".html")}-{width}-{scheme}.png', full_page=True)

def shown(w, selector):
    "The first match that can be clicked; on a phone the sidebar has to be opened first"
    e = w.page.locator(selector).first
    if not e.is_visible(): w.page.locator('.mobile-header label[for="__navigation"]').click()
    e.wait_for(state='visible', timeout=30_000)
    return e

def search(w, site):
    "Type a term into the search box and follow the result"
    w.open(site/'index.html', f'search for {TERM!r}')
    box = shown(w, 'input[name="q"]')
    box.fill(TERM); box.press('Enter')
    hit = w.page.locator(f'#search-results a[href*="{EXPECTED}"]').first
    hit.wait_for(timeout=60_000); hit.click(); w.page.wait_for_load_state()
    if EXPECTED not in w.page.url: w.note(f'led to {w.page.url}')

def cross_link(w, site):
    "From the README's map to a name in the reference, which has to be on the screen"
    w.open(site/'index.html', 'cross link')
    w.page.locator('article a[href$="finetuning.html#finetune"]').first.click(); w.page.wait_for_load_state()
    try: w.page.wait_for_function('() => { const t = document.getElementById(location.hash.slice(1))?.getBoundingClientRect().top; return t > -5 && t < innerHeight }', timeout=20_000)   # scrolling is smooth
    except Exception: w.note(f'{w.page.url} does not show its target')

def dark_switch(w, site):
    w.open(site/'index.html', 'dark mode')
    back = lambda: w.page.evaluate('getComputedStyle(document.body).backgroundColor')
    seen = {back()}
    for _ in range(3): w.page.locator('.theme-toggle:visible').first.click(); seen.add(back())
    if len(seen) < 2: w.note('the switch changes nothing')

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('site', type=Path); p.add_argument('--shots', type=Path, help='where to put a picture of each page')
    a = p.parse_args()
    if not (a.site/'index.html').is_file(): sys.exit(f'browser.py: {a.site} has no index.html')
    if a.shots: a.shots.mkdir(parents=True, exist_ok=True)
    faults = []
    with sync_playwright() as pw:
        browser = pw.chromium.launch(executable_path=chromium(), args=['--no-sandbox', '--disable-gpu', '--disable-quic'])
        for width, scheme in [(w, s) for w in WIDTHS for s in ('light', 'dark')] if a.shots else zip(WIDTHS, ('light', 'dark')):
            page = browser.new_page(viewport=dict(width=width, height=900), color_scheme=scheme)
            w = Watch(page)
            for check in (search, cross_link, dark_switch): check(w, a.site)
            pages(w, a.site, width, scheme, a.shots)
            faults += w.faults; page.close()
        browser.close()
    print(*dict.fromkeys(faults), f'{len(list(a.site.rglob("*.html")))} pages, {len(faults)} faults', sep='\n')
    sys.exit(bool(faults))

if __name__ == '__main__': main()
