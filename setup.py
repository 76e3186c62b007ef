"Package metadata comes from settings.ini; edit there, not here."
import shlex
from configparser import ConfigParser
from pathlib import Path

import setuptools
from setuptools.command.sdist import sdist

here = Path(__file__).parent
config = ConfigParser(delimiters=['='])
config.read(here/'settings.ini', encoding='utf-8')
cfg = config['DEFAULT']

needed = '''lib_name lib_path version description keywords author author_email license status min_python audience
            language git_url'''
for key in needed.split():
    assert key in cfg, f'settings.ini: missing {key}'

licenses = {'apache2': 'Apache-2.0', 'mit': 'MIT', 'bsd3': 'BSD-3-Clause', 'gpl3': 'GPL-3.0-only'}
statuses = ['1 - Planning', '2 - Pre-Alpha', '3 - Alpha', '4 - Beta', '5 - Production/Stable', '6 - Mature',
            '7 - Inactive']
data = ['sample/*', 'sample/resumes/*/*', 'sample/json/*/*', 'schemas/*', 'lexicon/*/*.txt', 'engine/e5/*',
        'ready/*', 'py.typed']


def reqs(key):
    return shlex.split(cfg.get(key) or '', comments=True)


extras = [key for key in cfg if key.endswith('_requirements') and key != 'pip_requirements']
links = {'Source': cfg['git_url']}
if cfg.get('doc_host'):
    links['Documentation'] = cfg['doc_host'] + cfg['doc_baseurl']


class SdistWithSettings(sdist):
    "Puts settings.ini, which this file reads, into the source distribution"
    def make_distribution(self):
        self.filelist.append('settings.ini')
        super().make_distribution()


setuptools.setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    keywords=cfg['keywords'], author=cfg['author'], author_email=cfg['author_email'],
    license_expression=licenses.get(cfg['license'].lower(), cfg['license']),
    classifiers=['Development Status :: '+statuses[int(cfg['status'])-1],
                 'Intended Audience :: '+cfg['audience'].title(),
                 'Natural Language :: '+cfg['language'].title(),
                 'Programming Language :: Python :: 3 :: Only'],
    url=cfg['git_url'],
    packages=setuptools.find_packages(include=[cfg['lib_path'], cfg['lib_path']+'.*']),
    package_data={cfg['lib_path']: data},
    install_requires=reqs('requirements') + reqs('pip_requirements'),
    extras_require={key.removesuffix('_requirements'): reqs(key) for key in extras},
    python_requires='>='+cfg['min_python'],
    long_description=(here/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    project_urls=links,
    entry_points={
        'console_scripts': [o.strip() for o in (cfg.get('console_scripts') or '').splitlines() if o.strip()],
        'nbdev': [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"],
    },
    cmdclass={'sdist': SdistWithSettings},
    zip_safe=False,
)
