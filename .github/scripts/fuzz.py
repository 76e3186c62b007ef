"""Damaged run folders: one file of a tiny run is changed at random, and loading it has to end in one of the documented errors or in a classifier that works.

usage: python .github/scripts/fuzz.py [FIRST LAST]     seeds, default 0 5000; exit code 1 when something else comes out
Bytes are flipped, cut, doubled, swapped and overwritten; JSON, and the header of the weights as JSON, is edited where it stays JSON. The digests of the run are left out,
or they would catch everything.
"""
import json, logging, math, random, shutil, sys, tempfile, time
from collections import Counter
from pathlib import Path

FIXTURES = Path(__file__).parents[2]/'nbs'/'fixtures'
FILES = ('config.json','model.safetensors','tokenizer.json','tokenizer_config.json','train_config.json')
SPITE = [None, True, -1, 0, 1, 2**31, 10**9, 10**30, 1e308, .5, '', 'x'*5000, '../../etc/passwd', [], {}, [[]]*50, {'a': {'b': []}}, 'NaN', float('nan')]
KEYS = ['auto_map', 'id2label', 'num_labels', 'quantization_config', 'vocab_size', 'num_hidden_layers']

def spots(x):
    "Every place in nested JSON"
    for k, v in list(x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ()):
        yield x, k
        yield from spots(v)

def edit(data, rng):
    "JSON with one value removed, replaced, copied to another place, or renamed"
    d = json.loads(data)
    places = list(spots(d))
    if len(places) >= 400: places = [s for s in places if rng.random() < .05]
    (x, k), kind = rng.choice(places), rng.randrange(4)
    if kind == 0: del x[k]
    elif kind == 1: x[k] = rng.choice(SPITE)
    elif kind == 2: y, j = rng.choice(places); x[k] = json.loads(json.dumps(y[j]))
    elif isinstance(x, dict): x[rng.choice([*KEYS, str(k)+'x'])] = x.pop(k)
    else: x.insert(rng.randrange(len(x)+1), x[k])
    return json.dumps(d).encode()

def damage(data, rng):
    "One to eight random damages of the bytes, most of them near the beginning"
    b = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        i, j, n, kind = rng.randrange(min(len(b), 2500) if rng.random() < .6 else len(b)), rng.randrange(len(b)), rng.randint(1, 40), rng.randrange(7)
        if kind == 0: b[i] ^= 1 << rng.randrange(8)
        elif kind == 1: del b[i:i+n]
        elif kind == 2: b[i:i] = b[i:i+n]*rng.randint(1, 3)
        elif kind == 3: b[i:i+n] = rng.randbytes(n)
        elif kind == 4: del b[i:]
        elif kind == 5: b[i:i+1] = str(rng.choice([-1, 0, 2**31, 2**63, 10**30])).encode()
        else: b[i:i+n], b[j:j+n] = b[j:j+n], b[i:i+n]
        b = b or bytearray(b'{')
    return bytes(b)

def header(data, rng):
    "Weights whose header was edited as JSON, with its length put right"
    n = int.from_bytes(data[:8], 'little')
    h = edit(data[8:8+n], rng)
    return len(h).to_bytes(8, 'little') + h + data[8+n:]

def mutate(folder, rng):
    "Change one file of the folder; returns its name"
    name, kind = rng.choice(FILES), rng.randrange(20)
    f = folder/name; data = f.read_bytes()
    if kind == 17: f.unlink(); return name
    if kind < 9 and name.endswith('.json'): new = edit(data, rng)
    elif kind < 6: new = header(data, rng)
    elif kind < 17: new = damage(data, rng)
    else: new = (folder/rng.choice(FILES)).read_bytes() if kind == 18 else b''
    f.write_bytes(new)
    return name

def one(seed, tmp):
    "Mutate, load and ask; returns (file, what came of it) and raises whatever is not documented"
    from resume_bert.inference import SectionClassifier
    rng, d = random.Random(seed), tmp/'run'
    shutil.rmtree(d, ignore_errors=True); shutil.copytree(FIXTURES/f'run-0.1.0-{("chunk", "resume")[seed%2]}', d, ignore=shutil.ignore_patterns('SHA256SUMS'))
    name = mutate(d, rng)
    try:
        clf = SectionClassifier.load(d, device='cpu')
        names = json.loads((d/'config.json').read_text(encoding='utf-8'))['id2label']
        assert clf.sections == [names[str(i)] for i in range(len(names))], 'other labels than the config names'
        for p in clf.predict(['Ward Sister, June 2015', 'a '*99, '', 'é職']): assert p.section in clf.sections and math.isclose(sum(p.probs.values()), 1, abs_tol=1e-3)
        assert [c.section in clf.sections for c in clf.label(['Java', 'BSc Nursing'])] == [True, True]
        return name, 'a classifier that works'
    except (ValueError, FileNotFoundError) as e:
        assert '\n' not in str(e) and len(str(e)) < 400, f'no short line: {str(e)[:300]}'
        return name, 'refused in one line'

def fuzz(first, last):
    "Run the seeds; prints a summary and returns the number of those that ended in something else"
    logging.getLogger('resume_bert').setLevel(logging.ERROR); logging.getLogger('transformers').setLevel(logging.CRITICAL)
    tally, bad, slowest, start = Counter(), 0, 0, time.process_time()
    with tempfile.TemporaryDirectory() as tmp:
        one(first, Path(tmp))          # imports
        for seed in range(first, last):
            t = time.process_time()
            try: tally[one(seed, Path(tmp))] += 1
            except KeyboardInterrupt: raise
            except BaseException as e: bad += 1; print(f'seed {seed}: {type(e).__name__}: {str(e)[:200]}', flush=True)
            slowest = max(slowest, time.process_time()-t)
    print(f'{last-first:,} mutated folders, {bad} undocumented ends; {time.process_time()-start:.0f} s of processor time, the slowest {slowest:.1f} s')
    for (name, what), n in sorted(tally.items()): print(f'{n:6,} {name:22} {what}')
    return bad

if __name__ == '__main__': sys.exit(fuzz(*map(int, sys.argv[1:] or (0, 5000))) > 0)
