#!/usr/bin/env python3
"""Random changes of a tree, of which `store diff` makes patches that `git apply` and patch(1) apply.

Usage: patch-beside-git.py STORE CHANGES SEED

Three trees: work, which is changed at random and committed step by step; git and patch, which only ever get the
patches.  After each step all three must be equal: names, kinds, the executable bit, content.  Binary content is no part
of a patch; that it is told between the patches must not disturb them, so binary files change too, in work alone.

patch(1) deletes at the end of its input, whatever stands behind the deletion, so it cannot put a directory in the place
of a file, or a file in that of a directory, in one run; it is given such a patch in two, deletions first.
"""
import os
import random
import shutil
import subprocess
import sys

STORE, CHANGES, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PER_STEP = 10
NAMES = [b'a', b'b', b'c', b'with blank', b'-dash', b'tab\there', b'quote"s', b'back\\slash', b'\xc3\xa4', b'\xff\xfe',
         b'b ', b'esc\x1b', b'e.txt']
WORDS = [b'', b'alpha', b'beta', b'gamma\r', b'--- a/x', b'+++ b/x', b'@@ -1 +1 @@', b'diff --git a/x b/x', b'\\', b'\xff\xc3',
         b'\x1b[31m', b'end', b'}']
rnd = random.Random(SEED)


def run(*argv, cwd, **more):
    done = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        sys.exit(f'{argv} ended with {done.returncode}: {done.stderr.decode(errors="replace")}'
                 f'{done.stdout.decode(errors="replace")}')
    return done.stdout


def look(top):
    """Every file and link below top, as kind and content; binary ones and what belongs to a program are left out."""
    found = {}
    for folder, dirs, names in os.walk(top):
        dirs[:] = [d for d in dirs if d not in (b'.store', b'.git')]
        for name in names + dirs:
            path = os.path.join(folder, name)
            if name.endswith(b'.bin'):
                continue
            if os.path.islink(path):
                found[os.path.relpath(path, top)] = ('link', os.readlink(path))
            elif not os.path.isdir(path):
                with open(path, 'rb') as f:
                    found[os.path.relpath(path, top)] = ('x' if os.stat(path).st_mode & 0o100 else 'f', f.read())
    return found


def random_text():
    lines = [rnd.choice(WORDS) for _ in range(rnd.choice([0, 0, 1, 2, 10, 40]))]
    return b'\n'.join(lines) + (b'\n' if rnd.random() < 0.6 and lines else b'')


def edit(text):
    lines = text.split(b'\n')
    for _ in range(rnd.randrange(1, 4)):
        at = rnd.randrange(len(lines) + 1)
        lines[at:at + rnd.randrange(3)] = [rnd.choice(WORDS) for _ in range(rnd.randrange(3))]
    return b'\n'.join(lines)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def random_path(top):
    return os.path.join(top, *[rnd.choice(NAMES) for _ in range(rnd.randrange(1, 4))])


def make_room(top, path):
    """What is a file on the way to path becomes a directory, and what stands at path goes."""
    above = top
    for name in os.path.relpath(path, top).split(b'/')[:-1]:
        above = os.path.join(above, name)
        if os.path.islink(above) or not os.path.isdir(above):
            remove(above)
            os.mkdir(above)
    remove(path)


def write(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def change(top):
    there = [os.path.join(top, p) for p in look(top)]
    what = rnd.choice(['new', 'new', 'edit', 'edit', 'edit', 'mode', 'delete', 'link', 'binary'])
    path = rnd.choice(there) if there else random_path(top)
    if what == 'edit' and os.path.isfile(path) and not os.path.islink(path):
        with open(path, 'rb') as f:
            text = f.read()
        write(path, edit(text))
    elif what == 'mode' and os.path.isfile(path) and not os.path.islink(path):
        os.chmod(path, os.stat(path).st_mode ^ 0o111)
    elif what == 'delete':
        remove(path)
    elif what == 'link':
        path = path if rnd.random() < 0.3 else random_path(top)
        make_room(top, path)
        os.symlink(rnd.choice([b'no where', b'nowhere', b'\xff', b'../up']), path)
    elif what == 'binary':
        write(os.path.join(top, rnd.choice([b'1.bin', b'2.bin'])), b'\0' + random_text())
    else:
        path = random_path(top)
        make_room(top, path)
        write(path, random_text())
        os.chmod(path, rnd.choice([0o644, 0o644, 0o755]))


def expect_equal(want, top, patch, step):
    got = look(top)
    if got != want:
        write('failed.patch', patch)
        odd = [p for p in sorted(set(want) | set(got)) if want.get(p) != got.get(p)]
        sys.exit(f'seed {SEED}, step {step}: {os.fsdecode(top)} differs: ' +
                 '; '.join(f'{p}: wanted {want.get(p)}, got {got.get(p)}' for p in odd))


def trades_places(old, new):
    """Does a file stand where a directory was, or the reverse?"""
    def folders(tree):
        return {p[:i] for p in tree for i in range(len(p)) if p[i:i + 1] == b'/'}
    return bool(set(old) & folders(new) or set(new) & folders(old))


def apply_patch(top, patch, in_two):
    runs = [patch]
    if in_two:
        parts = (b'\n' + patch).split(b'\ndiff --git ')
        deletes = [b'\ndeleted file mode' in b'\n'.join(part.split(b'\n')[:2]) for part in parts]
        runs = [b'\n'.join(b'diff --git ' + part for part, d in zip(parts[1:], deletes[1:]) if d == want) + b'\n'
                for want in (True, False)]
    for text in runs:
        if b'diff --git ' in text:
            run('patch', '-p1', '-s', '-f', '--no-backup-if-mismatch', cwd=top, input=text)


def main():
    work, git, patched = b'work', b'git', b'patch'
    for top in (work, git, patched):
        os.mkdir(top)
    run(STORE, '-q', 'init', '.', cwd=work)
    run('git', 'init', '-q', '.', cwd=git)
    run(STORE, '-q', 'commit', '--allow-empty', '-m', 'empty', cwd=work)
    for step in range((CHANGES + PER_STEP - 1) // PER_STEP):
        old = look(work)
        for _ in range(PER_STEP):
            change(work)
        want = look(work)
        run(STORE, '-q', 'add', '-A', cwd=work)
        forms = [['diff', '--staged'], ['diff', 'HEAD']] if step % 2 else [['diff', 'HEAD~', 'HEAD']]
        if step % 2 == 0:
            run(STORE, '-q', 'commit', '--allow-empty', '-m', 'step', cwd=work)
        patches = [run(STORE, *form, cwd=work) for form in forms]
        if step % 2:
            run(STORE, '-q', 'commit', '--allow-empty', '-m', 'step', cwd=work)
        write('failed.patch', patches[-1])
        if b'\ndiff --git ' in b'\n' + patches[0]:
            run('git', '-c', 'core.autocrlf=false', 'apply', '--whitespace=nowarn', '-', cwd=git, input=patches[0])
            apply_patch(patched, patches[-1], trades_places(old, want))
        expect_equal(want, git, patches[0], step)
        expect_equal(want, patched, patches[-1], step)


main()
