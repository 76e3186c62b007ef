"""Open a built site in headless Chromium: try the search, a link to a name and the dark mode, then every page.

usage: python .github/scripts/browser.py SITE [--shots DIR]
Needs Chromium on the machine (or $CHROMIUM) and `pip install playwright`. Every page is opened wide and light, then
narrow and dark; with --shots all four ways, and a picture of each is kept. Faults are a page wider than the window,
a console error, a request to another site, a search that misses the right page, and a link that misses its target.
"""
import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

WIDTHS = 1400, 390                                      # a desktop and a phone
SCHEMES = 'light', 'dark'
TERM, EXPECTED = 'temperature', 'evaluation.html'       # a search, and a page that has to be among its results
CHROMIUM = 'chromium', 'chromium-browser', 'google-chrome'
OPTIONS = ['--no-sandbox', '--disable-gpu', '--disable-quic']

OVERFLOW = '''() => {
    const width = innerWidth, extra = document.documentElement.scrollWidth - width
    if (extra <= 0) return null
    const sticksOut = e => e.getBoundingClientRect().right > width + 1
                           && getComputedStyle(e.parentElement).overflowX === "visible"
    const e = [...document.querySelectorAll("article *")].find(sticksOut)
    const where = e ? `, at <${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.slice(0, 40)}` : ""
    return `${extra} pixels too wide` + where
}'''
TARGET_SHOWN = '''() => {
    const target = document.getElementById(location.hash.slice(1)), top = target?.getBoundingClientRect().top
    return top > -5 && top < innerHeight
}'''
BACKGROUND = 'getComputedStyle(document.body).backgroundColor'


def chromium():
    found = [os.environ.get('CHROMIUM'), *map(shutil.which, CHROMIUM)]
    return next(filter(None, found), None) or sys.exit('browser.py: found no Chromium; set CHROMIUM to its path')


class Watch:
    "A page that notes console errors and requests that leave the site"
    def __init__(self, page):
        self.page, self.faults, self.where = page, [], ''
        page.on('console', self.console)
        page.on('pageerror', lambda error: self.note(f'script: {error}'))
        page.on('request', self.request)

    def note(self, what):
        self.faults.append(f'{self.where}: {what}')

    def console(self, message):
        if message.type == 'error':
            self.note(f'console: {message.text}')

    def request(self, request):
        if request.url.split(':')[0] not in ('file', 'data', 'blob'):
            self.note(f'request to {request.url}')

    def open(self, file, where):
        self.where = where
        self.page.goto(Path(file).resolve().as_uri(), wait_until='load', timeout=120_000)


def all_pages(w, site, width, scheme, shots):
    "Open every page; each has to fit the window and to have a heading"
    for file in sorted(site.rglob('*.html')):
        name = file.relative_to(site).as_posix()
        w.open(file, f'{name} at {width}, {scheme}')
        if overflow := w.page.evaluate(OVERFLOW):
            w.note(overflow)
        if not w.page.locator('article h1, article #search-results').count():
            w.note('no heading')
        if shots:
            picture = f'{name.replace("/", "_").removesuffix(".html")}-{width}-{scheme}.png'
            w.page.screenshot(path=shots/picture, full_page=True)


def visible(w, selector):
    "The first match, ready to be clicked; on a phone the sidebar has to be opened first"
    element = w.page.locator(selector).first
    if not element.is_visible():
        w.page.locator('.mobile-header label[for="__navigation"]').click()
    element.wait_for(state='visible', timeout=30_000)
    return element


def search(w, site):
    "Type a term into the search box and follow the expected result"
    w.open(site/'index.html', f'search for {TERM!r}')
    box = visible(w, 'input[name="q"]')
    box.fill(TERM)
    box.press('Enter')
    hit = w.page.locator(f'#search-results a[href*="{EXPECTED}"]').first
    hit.wait_for(timeout=60_000)
    hit.click()
    w.page.wait_for_load_state()
    if EXPECTED not in w.page.url:
        w.note(f'led to {w.page.url}')


def cross_link(w, site):
    "Follow a link to a name; its entry has to be on the screen"
    w.open(site/'names.html', 'cross link')
    w.page.locator('article a[href$="finetuning.html#finetune"]').first.click()
    w.page.wait_for_load_state()
    try:
        w.page.wait_for_function(TARGET_SHOWN, timeout=20_000)        # scrolling is smooth
    except PlaywrightTimeout:
        w.note(f'{w.page.url} does not show its target')


def dark_switch(w, site):
    "Click through the three states of the colour switch; the background has to change"
    w.open(site/'index.html', 'dark mode')
    seen = {w.page.evaluate(BACKGROUND)}
    for _ in range(3):
        w.page.locator('.theme-toggle:visible').first.click()
        seen.add(w.page.evaluate(BACKGROUND))
    if len(seen) < 2:
        w.note('the switch changes nothing')


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('site', type=Path)
    p.add_argument('--shots', type=Path, help='folder for a picture of each page')
    a = p.parse_args()
    if not (a.site/'index.html').is_file():
        sys.exit(f'browser.py: {a.site} has no index.html')
    if a.shots:
        a.shots.mkdir(parents=True, exist_ok=True)
    return a


def main():
    a = arguments()
    ways = [(w, s) for w in WIDTHS for s in SCHEMES] if a.shots else list(zip(WIDTHS, SCHEMES))
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        for width, scheme in ways:
            page = browser.new_page(viewport=dict(width=width, height=900), color_scheme=scheme)
            w = Watch(page)
            for check in (search, cross_link, dark_switch):
                check(w, a.site)
            all_pages(w, a.site, width, scheme, a.shots)
            faults += w.faults
            page.close()
        browser.close()
    print(*dict.fromkeys(faults), f'{len(list(a.site.rglob("*.html")))} pages, {len(faults)} faults', sep='\n')
    sys.exit(bool(faults))


if __name__ == '__main__':
    main()
