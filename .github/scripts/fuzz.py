"""Load damaged run folders: each attempt has to end in a working classifier or in one of the documented errors.

usage: python .github/scripts/fuzz.py [FIRST LAST]     seeds, 0 5000 by default; exit code 1 for any other end
One file of a tiny run is changed at random. Bytes are flipped, cut, repeated, swapped and overwritten; JSON, such as
the header of the weights, is also edited so that it stays JSON. The run has no digests, which would catch everything.
"""
import json
import logging
import math
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from resume_bert.inference import SectionClassifier

FIXTURES = Path(__file__).parents[2]/'nbs'/'fixtures'
FILES = ('config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'train_config.json')
SPITE = [None, True, -1, 0, 1, 2**31, 10**9, 10**30, 1e308, .5, '', 'x'*5000, '../../etc/passwd', [], {}, [[]]*50,
         {'a': {'b': []}}, 'NaN', float('nan')]
NUMBERS = [-1, 0, 2**31, 2**63, 10**30]
KEYS = ['auto_map', 'id2label', 'num_labels', 'quantization_config', 'vocab_size', 'num_hidden_layers']
MANY = 400                    # places in a JSON file from which only one in twenty is drawn
HEAD = 2500                   # bytes at the beginning of a file, where six damages in ten are done
LONGEST_MESSAGE = 400


def places(data):
    "Every (container, key) in nested JSON"
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(pairs):
        yield data, key
        yield from places(value)


def edit(text, rng):
    "JSON with one value removed, replaced, copied to another place, or renamed"
    data = json.loads(text)
    spots = list(places(data))
    if len(spots) >= MANY:
        spots = [spot for spot in spots if rng.random() < .05]
    (box, key), kind = rng.choice(spots), rng.randrange(4)
    if kind == 0:
        del box[key]
    elif kind == 1:
        box[key] = rng.choice(SPITE)
    elif kind == 2:
        other, at = rng.choice(spots)
        box[key] = json.loads(json.dumps(other[at]))
    elif isinstance(box, dict):
        box[rng.choice([*KEYS, f'{key}x'])] = box.pop(key)
    else:
        box.insert(rng.randrange(len(box)+1), box[key])
    return json.dumps(data).encode()


def damage_once(b, rng):
    "One random damage of a bytearray, in place"
    i = rng.randrange(min(len(b), HEAD) if rng.random() < .6 else len(b))
    j, n, kind = rng.randrange(len(b)), rng.randint(1, 40), rng.randrange(7)
    if kind == 0:
        b[i] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del b[i:i+n]
    elif kind == 2:
        b[i:i] = b[i:i+n]*rng.randint(1, 3)
    elif kind == 3:
        b[i:i+n] = rng.randbytes(n)
    elif kind == 4:
        del b[i:]
    elif kind == 5:
        b[i:i+1] = str(rng.choice(NUMBERS)).encode()
    else:
        b[i:i+n], b[j:j+n] = b[j:j+n], b[i:i+n]


def damage(data, rng):
    "One to eight random damages of the bytes"
    b = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        damage_once(b, rng)
        b = b or bytearray(b'{')
    return bytes(b)


def edit_header(data, rng):
    "Weights with their header edited as JSON, and its length corrected"
    n = int.from_bytes(data[:8], 'little')
    header = edit(data[8:8+n], rng)
    return len(header).to_bytes(8, 'little') + header + data[8+n:]


def mutate(folder, rng):
    "Change one file of the folder; returns its name"
    name, kind = rng.choice(FILES), rng.randrange(20)
    file = folder/name
    data = file.read_bytes()
    if kind == 17:
        file.unlink()
        return name
    if kind < 9 and name.endswith('.json'):
        new = edit(data, rng)
    elif kind < 6:
        new = edit_header(data, rng)
    elif kind < 17:
        new = damage(data, rng)
    else:
        new = (folder/rng.choice(FILES)).read_bytes() if kind == 18 else b''
    file.write_bytes(new)
    return name


def ask(folder):
    "Load the run and put it to work; raises AssertionError when it gives nonsense"
    clf = SectionClassifier.load(folder, device='cpu')
    names = json.loads((folder/'config.json').read_text(encoding='utf-8'))['id2label']
    assert clf.sections == [names[str(i)] for i in range(len(names))], 'its labels are not those of the config'
    for p in clf.predict(['Ward Sister, June 2015', 'a '*99, '', 'é職']):
        assert p.section in clf.sections, 'an unknown section'
        assert math.isclose(sum(p.probs.values()), 1, abs_tol=1e-3), 'probabilities that do not add up to 1'
    assert all(c.section in clf.sections for c in clf.label(['Java', 'BSc Nursing'])), 'an unknown section'


def attempt(seed, tmp):
    "Mutate a run and load it; returns (file, what came of it) and raises what is not documented"
    rng, folder = random.Random(seed), tmp/'run'
    source = FIXTURES/f'run-0.1.0-{("chunk", "resume")[seed % 2]}'
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns('SHA256SUMS'))
    name = mutate(folder, rng)
    try:
        ask(folder)
        return name, 'a classifier that works'
    except (ValueError, FileNotFoundError) as e:
        assert '\n' not in str(e) and len(str(e)) < LONGEST_MESSAGE, f'not one short line: {str(e)[:300]}'
        return name, 'refused in one line'


def fuzz(first, last):
    "Try the seeds; prints a summary and returns how many ended in something undocumented"
    logging.getLogger('resume_bert').setLevel(logging.ERROR)
    logging.getLogger('transformers').setLevel(logging.CRITICAL)
    tally, bad, slowest, start = Counter(), 0, 0, time.process_time()
    with tempfile.TemporaryDirectory() as tmp:
        attempt(first, Path(tmp))               # so that imports do not count as slow
        for seed in range(first, last):
            begun = time.process_time()
            try:
                tally[attempt(seed, Path(tmp))] += 1
            except KeyboardInterrupt:
                raise
            except BaseException as e:
                bad += 1
                print(f'seed {seed}: {type(e).__name__}: {str(e)[:200]}', flush=True)
            slowest = max(slowest, time.process_time()-begun)
    print(f'{last-first:,} mutated folders, {bad} undocumented ends; {time.process_time()-start:.0f} s of processor '
          f'time, the slowest {slowest:.1f} s')
    for (name, what), n in sorted(tally.items()):
        print(f'{n:6,} {name:22} {what}')
    return bad


if __name__ == '__main__':
    sys.exit(fuzz(*map(int, sys.argv[1:] or (0, 5000))) > 0)
