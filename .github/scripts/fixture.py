"""Make a tiny run of each head for nbs/fixtures, which answers the question "does a run of that release still load?".

usage: python .github/scripts/fixture.py     once per release; an existing fixture is left alone
Writes nbs/fixtures/run-VERSION-{chunk,resume} and expected-VERSION.json. The base model is a random BERT of two layers
and 32 dimensions with a vocabulary of the sample corpus; it is trained for two epochs on ten resumes per split.
"""
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from resume_bert import __version__
from resume_bert.engine.config import TrainConfig
from resume_bert.engine.runs import write_digests
from resume_bert.finetuning import finetune
from resume_bert.model import save_model, seed_everything
from resume_bert.tables.corpus import sample_chunks

FIXTURES = Path(__file__).parents[2]/'nbs'/'fixtures'
BASE = 'tiny-random-bert'
SPECIAL = '[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'
COMMON = 20                   # a word more frequent than this lends its letters to the vocabulary
LINES = ['AI Engineer from Researchify.', 'BSc Nursing, University of Ibadan, 2014', 'Python, SQL, Excel; C++',
         'ada@example.com | +44 20 7946 0958', 'References available on request',
         'Ward Sister, St Brannock Hospital\nJune 2015 - May 2017', '✓ naïve café – 職務経歴書', '[SEP] is text here',
         'a '*300]


def vocabulary(texts, size):
    "Special tokens, letters, and the most frequent words: `size` word pieces"
    words = Counter(w for t in texts for w in re.findall(r'\w+|[^\w\s]', t.lower()))
    letters = sorted({c for w, n in words.items() if n > COMMON for c in w if c.isascii()})
    vocab = [*SPECIAL, *letters, *(f'##{c}' for c in letters if c.isalnum())]
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    longer = [w for w, _ in ranked if len(w) > 1 and w.isascii()]
    return vocab + longer[:size - len(vocab)]


def tiny_base(folder, texts, size=640):
    "Save a random BERT with a vocabulary of these texts"
    vocab = vocabulary(texts, size)
    seed_everything(42)
    config = BertConfig(vocab_size=len(vocab), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=128)
    (Path(folder)/'vocab.txt').write_text('\n'.join(vocab) + '\n', encoding='utf-8')
    tokenizer = BertTokenizer(vocab={w: i for i, w in enumerate(vocab)}, model_max_length=128)
    save_model(BertForSequenceClassification(config), tokenizer, folder)


def few_resumes(df, n=10):
    "The rows of the first `n` resumes of each split"
    ids = [r for split in ('train', 'valid', 'test') for r in df['resume_id'][df['split'] == split].unique()[:n]]
    return df[df['resume_id'].isin(ids)].reset_index(drop=True)


def make_run(df, base, head, out):
    "Train on `df` and tidy up the run; returns the logits that it has to give for `LINES` from now on"
    config = TrainConfig(base_model=str(base), head=head, max_len=64, epochs=2, lr=3e-3, device='cpu')
    run = finetune(df, config, out=out, progress=False)
    (out/'report.html').unlink()                # pictures, which nothing reads
    for file in out.glob('*.json'):             # the path of the base model is of no interest
        text = file.read_text(encoding='utf-8')
        file.write_text(text.replace(json.dumps(str(base)), json.dumps(BASE)), encoding='utf-8')
    write_digests(out)
    alone, together = run.classifier.logits(LINES), run.classifier.resume_logits([LINES])
    return dict(alone=alone.round(6).tolist(), together=together.round(6).tolist())


def main():
    expected = FIXTURES/f'expected-{__version__}.json'
    if expected.exists():
        sys.exit(f'{expected} exists already')
    df = sample_chunks()
    few = few_resumes(df)
    with tempfile.TemporaryDirectory() as tmp:
        base = Path(tmp)/BASE
        base.mkdir()
        tiny_base(base, df['text'])
        runs = {head: FIXTURES/f'run-{__version__}-{head}' for head in ('chunk', 'resume')}
        logits = {head: make_run(few, base, head, out) for head, out in runs.items()}
    expected.write_text(json.dumps(dict(lines=LINES, logits=logits), ensure_ascii=False, indent=1), encoding='utf-8')


if __name__ == '__main__':
    main()
