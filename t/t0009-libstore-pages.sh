#!/bin/sh
# The manual of libstore: what the pages of section 3 say of <store.h> is what stands there, and their examples compile.
. "${0%/*}/test-lib.sh"

# Reads the header and the pages once, and writes what is wrong into a file for each promise; then the same with headers
# that were changed, to see that a change is noticed.  Also the examples, as C.
cat >pages.py <<'EOF'
import collections, glob, os, re, sys

root = os.environ["SRC_ROOT"]
with open(root + "/include/store.h") as f:
    header = f.read()
pages = {}
for path in sorted(glob.glob(root + "/man/*.3")):
    with open(path) as f:
        pages[os.path.basename(path)[:-2]] = f.read().split("\n")


def plain(text):
    return re.sub(r" ?([][*(),]) ?", r"\1", " ".join(text.split()))


def read_header(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    calls = {}
    for declaration in re.findall(r"^STORE_API ([^;]*);", text, re.M):
        calls[re.search(r"(\w+)\(", declaration)[1]] = plain(declaration)
    structs = {}
    for name, body in re.findall(r"\nstruct (\w+) \{(.*?)\n\};", text, re.S):
        structs[name] = members = []
        for declaration in body.split(";")[:-1]:
            declaration = " ".join(declaration.split())
            if "(" in declaration:
                members.append(plain(declaration))
                continue
            first, *others = declaration.split(", ")
            members += [plain(first)] + [plain(re.match(r"(.*?)\**\w+(\[.*)?$", first)[1] + name) for name in others]
    enums = [re.findall(r"\b(STORE_\w+)\b *(?:=|,|$)", body, re.M) for body in re.findall(r"enum ?\w* \{(.*?)\n\};", text, re.S)]
    tagged = dict(re.findall(r"enum (\w+) \{(.*?)\n\};", text, re.S))
    tagged = {name: re.findall(r"\b(STORE_\w+)\b *(?:=|,|$)", body, re.M) for name, body in tagged.items()}
    defines = re.findall(r"^#define (STORE_HEX_LEN)\b", text, re.M)
    typedefs = re.findall(r"typedef [^;]*?\(\*(\w+)\)", text)
    return calls, structs, enums, tagged, defines, typedefs


def words(line):
    return [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', line)]


def section(lines, begin):
    if begin not in lines:
        return []
    start = lines.index(begin) + 1
    ends = [n for n in range(start, len(lines)) if lines[n].startswith((".Sh", ".Ss") if begin.startswith(".Ss") else ".Sh")]
    return lines[start : ends[0] if ends else len(lines)]


def synopsis(lines):
    kind = name = None
    arguments = []
    for line in section(lines, ".Sh SYNOPSIS"):
        w = words(line)
        if w[0] == ".Ft":
            kind = w[1]
        elif w[0] == ".Fo":
            name, arguments = w[1], []
        elif w[0] == ".Fa":
            arguments.append(w[1])
        elif w[0] == ".Fc":
            yield name, plain("%s %s(%s)" % (kind, name, ", ".join(arguments)))


def members_of(lines):
    for line in lines:
        if line.startswith(".It Va "):
            w = words(line)
            kind = w[w.index("Vt") + 1]
            for name in [x for x in w[2 : w.index("Pq")] if x != ","]:
                if "(*)" in kind:
                    yield plain(kind.replace("(*)", "(*%s)" % name))
                elif "[" in kind:
                    yield plain(kind.replace("[", name + "[", 1))
                else:
                    yield plain(kind + " " + name)


# The arguments of a macro, items of a list that begin with it among them, or these alone.
def named(lines, macro, items=False):
    for line in lines:
        if line.startswith(".It %s " % macro):
            yield from [w for w in words(line)[2:] if w != ","]
        elif not items and line.startswith(".%s " % macro):
            yield from words(line)[1:]


# What is wrong with the pages by themselves.
def misshapen():
    for page in read:
        sections = ["NAME", "LIBRARY", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"]
        if page.name == "libstore":
            sections.append("EXAMPLES")
        else:
            sections += ["RETURN VALUES", "ERRORS"]
            names = [words(line)[1] for line in section(page.lines, ".Sh NAME") if line.startswith(".Nm ")]
            if names != [name for name, _ in page.calls] or page.name not in names:
                yield "%s: names are %s" % (page.name, names)
        for name in sections:
            if ".Sh " + name not in page.lines:
                yield "%s: no %s" % (page.name, name)
        for line in page.lines:
            if line.startswith((".Xr libstore ", ".Xr store_")) and words(line)[1] not in pages:
                yield "%s: there is no %s(3)" % (page.name, words(line)[1])


# What a page says, read once however often it is compared.
class Page:
    def __init__(self, name, lines):
        self.name, self.lines = name, lines
        self.calls = list(synopsis(lines))
        self.structs = [(line.split()[2], list(members_of(section(lines, line)))) for line in lines if line.startswith(".Ss struct ")]
        self.enums = [(line.split()[2], list(named(section(lines, line), "Dv", items=True))) for line in lines if line.startswith(".Ss enum ")]
        self.constants = {w for w in named(lines, "Dv") if w.startswith("STORE_") and w != "STORE_E*"}
        self.called = {w for w in named(lines, "Fn") if w.startswith("store_")}


def complaints(text):
    calls, structs, enums, tagged, defines, typedefs = read_header(text)
    wrong = collections.defaultdict(list)
    found, described = collections.Counter(), collections.Counter()
    constants, called = set(), set()
    for page in read:
        found.update(name for name, _ in page.calls)
        for name, declaration in page.calls:
            if calls.get(name) != declaration:
                wrong["calls"].append("%s: %s, not %s" % (page.name, declaration, calls.get(name)))
        for name, members in page.structs:
            described[name] += 1
            if members != structs.get(name):
                wrong["members"].append("%s: struct %s: %s, not %s" % (page.name, name, members, structs.get(name)))
        for name, body in page.enums:
            described[name] += 1
            if body != tagged.get(name):
                wrong["constants"].append("%s: enum %s: %s, not %s" % (page.name, name, body, tagged.get(name)))
        constants |= page.constants
        called |= page.called
    wrong["calls"] += ["%s stands in %d pages" % (name, found[name]) for name in calls if found[name] != 1]
    wrong["calls"] += ["there is no %s" % name for name in sorted(called - set(calls))]
    wrong["calls"] += ["no page has the type %s" % t for t in typedefs if not any("(*%s)" % t in line for p in pages.values() for line in p)]
    wrong["members"] += ["struct %s stands in %d pages" % (name, described[name]) for name in structs if described[name] != 1]
    known = {name for body in enums for name in body} | set(defines)
    wrong["constants"] += ["no page has %s" % name for name in sorted(known - constants)]
    wrong["constants"] += ["there is no %s" % name for name in sorted(constants - known)]
    wrong["constants"] += ["enum %s stands in %d pages" % (name, described[name]) for name in tagged if described[name] != 1]
    codes = next(body for body in enums if "STORE_OK" in body)
    if error_codes != codes:
        wrong["errors"].append("libstore: %s, not %s" % (error_codes, codes))
    return wrong, len(calls), len(structs), len(known)


def blocks(lines):
    block = None
    for n, line in enumerate(lines, 1):
        if line.startswith(".Bd -literal"):
            block = (n + 1, [])
        elif line == ".Ed" and block:
            yield block
            block = None
        elif block:
            block[1].append(re.sub(r"^\\&", "", line).replace("\\e", "\\"))


read = [Page(name, lines) for name, lines in pages.items()]
error_codes = list(named(section(pages["libstore"], ".Ss Errors"), "Dv", items=True))
wrong, calls, structs, constants = complaints(header)
wrong["form"] = misshapen()
listed = [words(line)[2] for line in pages["libstore"] if line.startswith(".It Xr ")]
if sorted(listed + ["libstore"]) != sorted(pages):
    wrong["listed"].append("listed are %s, there are %s" % (listed, sorted(pages)))
assert calls > 70 and structs > 50 and constants > 100, (calls, structs, constants)
for kind in "calls", "form", "members", "constants", "errors", "listed":
    with open(kind, "w") as f:
        f.write("".join(line + "\n" for line in wrong[kind]))

# What each of these changes of the header is to be noticed by.
changes = [
    ("calls", "char **out_path", "const char **out_path"),
    ("calls", "size_t len, size_t *got", "size_t length, size_t *got"),
    ("calls", "STORE_API uint64_t store_diff_unreadable", "STORE_API int store_diff_unreadable"),
    ("calls", "STORE_API const char *store_version(void);", "STORE_API const char *store_version(void);\nSTORE_API int store_new(int a);"),
    ("calls", "STORE_API const char *store_version(void);", ""),
    ("members", "uint64_t size;  /* bytes of the content", "uint64_t length;  /* bytes of the content"),
    ("members", "uint64_t publications;", "uint32_t publications;"),
    ("members", "const char *since, *until;", "const char *since, *until, *around;"),
    ("members", "char branch[256]; /* short name; \"\" when HEAD is detached */", "char branch[512];"),
    ("members", "void (*notice)(void *payload, const struct store_notice *n);", "int (*notice)(void *payload, const struct store_notice *n);"),
    ("constants", "STORE_KIND_LINK = 4,", "STORE_KIND_LINK = 4, STORE_KIND_DOOR,"),
    ("constants", "STORE_RM_CACHED", "STORE_RM_STAGED"),
    ("errors", "STORE_EEMPTY = -15,", "STORE_EEMPTY = -15, STORE_ENEW = -17,"),
]
with open("asleep", "w") as f:
    for kind, old, new in changes:
        if old not in header or not complaints(header.replace(old, new, 1))[0][kind]:
            f.write("not noticed: %s\n" % old)

with open("examples.c", "w") as f, open("count", "w") as count:
    f.write("#include <store.h>\n")
    for page, lines in pages.items():
        for first, block in blocks(lines):
            if block[0].startswith("$ "):
                continue
            if any(re.match("int main", line) for line in block):
                with open("keep.c", "w") as program:
                    program.write("\n".join(block) + "\n")
                continue
            count.write(page + "\n")
            f.write('#line %d "%s.3"\n' % (first, page) + "\n".join(block) + "\n")
EOF

test_expect_success 'setup: compare the pages with the header' '
	python3 pages.py
'

test_expect_success 'each function of store.h stands in one SYNOPSIS, with its very declaration' '
	test_must_be_empty calls
'

test_expect_success 'each public struct is told in one page, with all of its members and their types, in order' '
	test_must_be_empty members
'

test_expect_success 'each constant of store.h is named in a page, and no page names another' '
	test_must_be_empty constants
'

test_expect_success 'libstore(3) lists each error code, in the order of the header' '
	test_must_be_empty errors
'

test_expect_success 'libstore(3) lists each page of section 3' '
	test_must_be_empty listed
'

test_expect_success 'each page names its calls, has the sections that belong there, and refers to pages that are there' '
	test_must_be_empty form
'

test_expect_success 'another argument, type, member, constant, code or function of the header would be noticed' '
	test_must_be_empty asleep
'

test_expect_success 'the examples of the pages compile' '
	test "$(sort -u count | wc -l)" -ge 19 &&
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$SRC_ROOT/include" -fsyntax-only examples.c
'

test_expect_success 'the program of libstore(3) keeps what it is given, makes the repository once, and reads it back' '
	${CC:-cc} -std=c11 -Wall -Wextra -Werror -I"$SRC_ROOT/include" -o keep keep.c -L"$STORE_RELEASE_BIN" -lstore &&
	LD_LIBRARY_PATH=$STORE_RELEASE_BIN && export LD_LIBRARY_PATH && test_when_finished "unset LD_LIBRARY_PATH" &&
	seq 100000 >want && ./keep r notes/today <want >got && sed 1d got >content && test_cmp want content &&
	test_grep "^588895 bytes, [1-9][0-9]* of them new" got && ./keep r notes/today <want >got && test_grep "^588895 bytes, 0 of them new" got &&
	store -C r log --oneline >log && test_line_count -eq 1 log && store -C r cat notes/today >content && test_cmp want content &&
	test_expect_code 2 ./keep && test_expect_code 1 ./keep r ../up <want 2>err && test_grep "keep: .*up" err
'

test_done
