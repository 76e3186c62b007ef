"""Find the sections and the fields of resumes with BERT.

    import resume_bert as rb
    run = rb.finetune('resumes.csv', rb.TrainConfig(epochs=4), out='runs/mine')  # train on rows of text and section
    clf = rb.SectionClassifier.load('runs/mine')
    clf.predict('Ward Sister, St Brannock Hospital')                             # Work Experience (97%)
    resume = clf.label(rb.read_resume('cv.pdf'))                                 # a PDF, chunk by chunk
    rb.to_json_resume(rb.redact(resume))                                         # JSON Resume, without names
"""
__version__ = "0.1.0"

from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import formats as _formats  # gives every `Resume` its `to_html` and `to_json_resume`

if _TYPE_CHECKING:                 # what editors and type checkers see
    from .comparing import compare
    from .data import load_chunks
    from .documents.read import read_resume
    from .engine.config import TrainConfig
    from .fields.build import to_json_resume
    from .privacy.redaction import redact
    from .finetuning import finetune
    from .inference import SectionClassifier
    from .tables.corpus import sample_chunks

_HOME = dict(finetune='finetuning', compare='comparing', load_chunks='data', sample_chunks='tables.corpus',
             TrainConfig='engine.config', SectionClassifier='inference', read_resume='documents.read',
             to_json_resume='fields.build', redact='privacy.redaction')  # name -> its module, imported at its first use

__all__ = ['finetune', 'compare', 'load_chunks', 'sample_chunks', 'TrainConfig', 'SectionClassifier', 'read_resume',
           'to_json_resume', 'redact']


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    value = globals()[name] = getattr(import_module(f'{__name__}.{_HOME[name]}'), name)
    return value


def __dir__(): return __all__
