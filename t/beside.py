"""What the programs share that take the same steps by git and by store, in the folders git and store below the current one."""
import os
import subprocess
import sys

top = os.getcwd()
GIT, STORE = os.path.join(top, "git"), os.path.join(top, "store")
env = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", HOME=top, LC_ALL="C", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b",
           GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b", GIT_CONFIG_COUNT="2", GIT_CONFIG_KEY_0="gc.auto",
           GIT_CONFIG_VALUE_0="0", GIT_CONFIG_KEY_1="maintenance.auto", GIT_CONFIG_VALUE_1="false")
done = []  # the steps so far, for whoever has to find out


def fail(why):
    print(f"{' '.join(sys.argv[1:])}: {why}\nthe last steps:\n" + "\n".join(done[-25:]))
    sys.exit(1)


def run(tool, *argv, ok=(0,), said=b""):
    """By git or by store, each in its tree; ok: the exit codes that may be, None: any; said: its standard input."""
    done.append(" ".join((tool,) + argv))
    p = subprocess.run((tool,) + argv, cwd=STORE if tool == "store" else GIT, env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, input=said)
    if ok and p.returncode not in ok:
        fail(f"{argv} ended with {p.returncode}: {p.stderr.decode(errors='replace')}")
    return p


def is_dir(f):
    return os.path.isdir(f) and not os.path.islink(f)


def state(root):
    """Every file and link: whether it is executable and its bytes, or its target."""
    out = {}
    for here, dirs, files in os.walk(root):
        if here == root:
            dirs[:] = [d for d in dirs if d not in (".git", ".store")]
        for name in files + [d for d in dirs if os.path.islink(os.path.join(here, d))]:
            f = os.path.join(here, name)
            if os.path.islink(f):
                out[os.path.relpath(f, root)] = ("link", os.readlink(f))
            else:
                with open(f, "rb") as data:
                    out[os.path.relpath(f, root)] = (bool(os.stat(f).st_mode & 0o100), data.read())
    return out
