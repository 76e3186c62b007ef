"""A tiny run of each head, kept in nbs/fixtures for the question "does it still load?": made once for each released version.

usage: python .github/scripts/fixture.py        writes nbs/fixtures/run-VERSION-{chunk,resume} and expected-VERSION.json; an existing one is left alone
The base model is a random BERT of two layers and 32 dimensions with a vocabulary of the sample corpus; it is trained for two epochs on ten resumes of the sample.
"""
import json, re, sys, tempfile
from collections import Counter
from pathlib import Path

LINES = ['AI Engineer from Researchify.', 'BSc Nursing, University of Ibadan, 2014', 'Python, SQL, Excel; C++', 'ada@example.com | +44 20 7946 0958',
         'References available on request', 'Ward Sister, St Brannock Hospital\nJune 2015 - May 2017', '✓ naïve café – 職務経歴書', '[SEP] is text here', 'a '*300]

def tiny_base(folder, size=640):
    "A random BERT with the `size` commonest word pieces of the sample corpus"
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer
    from resume_bert.data import sample_chunks
    from resume_bert.model import save_model, seed_everything
    words = Counter(w for t in sample_chunks()['text'] for w in re.findall(r'\w+|[^\w\s]', t.lower()))
    chars = sorted({c for w, n in words.items() if n > 20 for c in w if c.isascii()})
    vocab = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *chars, *('##'+c for c in chars if c.isalnum())]
    vocab += [w for w, _ in sorted(words.items(), key=lambda x: (-x[1], x[0])) if len(w) > 1 and w.isascii()][:size-len(vocab)]
    seed_everything(42)
    cfg = BertConfig(vocab_size=len(vocab), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=128)
    (Path(folder)/'vocab.txt').write_text('\n'.join(vocab)+'\n', encoding='utf-8')
    tok = BertTokenizer(vocab={w: i for i, w in enumerate(vocab)}, model_max_length=128)
    save_model(BertForSequenceClassification(cfg), tok, folder)

def main():
    import resume_bert
    from resume_bert.core import TrainConfig
    from resume_bert.data import sample_chunks
    from resume_bert.finetuning import finetune
    from resume_bert.inference import seal
    root, v = Path(__file__).parents[2]/'nbs'/'fixtures', resume_bert.__version__
    if (root/f'expected-{v}.json').exists(): sys.exit(f'{root/f"expected-{v}.json"} exists already')
    df, expected = sample_chunks(), {}
    few = df[df['resume_id'].isin([r for s in ('train', 'valid', 'test') for r in df['resume_id'][df['split'] == s].unique()[:10]])].reset_index(drop=True)
    with tempfile.TemporaryDirectory() as d:
        base = Path(d)/'tiny-random-bert'; base.mkdir(); tiny_base(base)
        for head in ('chunk', 'resume'):
            out = root/f'run-{v}-{head}'
            run = finetune(few, TrainConfig(base_model=str(base), head=head, max_len=64, epochs=2, lr=3e-3, device='cpu'), out=out, progress=False)
            (out/'report.html').unlink()          # pictures, and nothing that is read again
            for f in out.glob('*.json'):          # where it was made is nobody's business
                f.write_text(f.read_text(encoding='utf-8').replace(json.dumps(str(base)), '"tiny-random-bert"'), encoding='utf-8')
            seal(out)
            expected[head] = dict(alone=run.classifier.logits(LINES).round(6).tolist(), together=run.classifier.resume_logits([LINES]).round(6).tolist())
    (root/f'expected-{v}.json').write_text(json.dumps(dict(lines=LINES, logits=expected), ensure_ascii=False, indent=1), encoding='utf-8')

if __name__ == '__main__': main()
