#!/bin/sh
# make bench: its tables are whole, its figures can be read by programs, and PASS and MISS are what the figures say.  The
# inputs are tiny, and no time is asserted.  Tools that start slowly, or that are not on every machine, are small scripts here,
# which copy what they are to keep.
. "${0%/*}/test-lib.sh"

bench=$SRC_ROOT/t/perf/bench
BENCH_DIR=$TRASH/cache BENCH_SCALE=1/2000 RUNS=2 BENCH_GENTLE=1
STORE_BIN=$STORE_RELEASE_BIN
export BENCH_DIR BENCH_SCALE RUNS BENCH_GENTLE STORE_BIN

mkdir bin
cat >bin/restic <<'EOF'
#!/bin/sh
[ "$1" != version ] || { echo restic 1; exit; }
[ "$1 $2" = "-q -r" ] && repo=$3 || exit 9
echo "restic $4" >>"${0%/*}/../order"
case $4 in
init) mkdir "$repo" ;;
backup) [ -d "$repo" ] && cp -R "$5" "$repo/" ;;
restore) cp -R "$repo/." "$7" ;;
*) exit 9 ;;
esac
EOF
cat >bin/borg <<'EOF'
#!/bin/sh
[ "$1" != --version ] || { echo borg 1.2; exit; }
echo "borg $1" >>"${0%/*}/../order"
case $1 in
init) mkdir "$4" ;;
create) cp -R "$3" "${2%::*}/" ;;
extract) cp -R "${2%::*}/." . ;;
*) exit 9 ;;
esac
EOF
cat >bin/casync <<'EOF'
#!/bin/sh
[ "$1" = --version ] && echo casync 2 && exit
echo "it is broken" >&2
exit 7
EOF
printf '#!/bin/sh\necho +F:25:sha256:1000000000.00\n' >bin/openssl
chmod +x bin/*
PATH=$TRASH/bin:$PATH
export PATH

# Three releases, of which two are wanted at this scale.
for i in 1 2 3
do
	mkdir -p "cache/inputs/D/00$i-v$i" && seq "$i" 500 >"cache/inputs/D/00$i-v$i/list" && echo same >"cache/inputs/D/00$i-v$i/same"
done

test_expect_success 'every input has its rows for every tool, and what cannot be run is NOT RUN with its reason' '
	python3 "$bench" --json o.json --svg o.svg >out 2>err &&
	for row in "^A[.] 20 files of 1-10 KB" "^B[.] .* random + .* of real binaries in one tar" "^C[.] 100 files of 60-80 bytes in 1 dir" \
		"^D[.] 2 releases of a source tree" "^  restore  *store " "^  restore  *git " "^  restore  *restic " "^  restore  *borg " \
		"^  add + commit  *tar . zstd -1 " "^  add + commit  *cp -r " "^  again, one byte in front  *store " "^  sha256 one core  *1,000 MB/s" \
		"^  store status " "^  size in MB " "^A, casync: exit code 7 .*: it is broken\$" "^  casync  *casync 2" "^[0-9]* PASS, [0-9]* MISS, [0-9]* NOT RUN\$" \
		"A, cold: /proc/sys/vm/drop_caches is not writable, or BENCH_GENTLE is set"
	do
		test_grep "$row" out || test_grep "^  *${row#^}" out || return 1
	done
'

test_expect_success 'figures are JSON with all runs of each work, and the chart is well-formed XML with a bar for each' '
	python3 -c "
import json, xml.dom.minidom
d = json.load(open(\"o.json\"))
assert d[\"schema\"] == \"store/make-bench/1\" and sorted(d[\"inputs\"]) == list(\"ABCD\")
for key in \"ABC\":
    for tool in (\"store\", \"git\"):
        for work in (\"add\", \"commit\", \"save\", \"status\", \"again\", \"restore\"):
            assert len(d[\"seconds\"][key][work][tool]) == 2, (key, work, tool)
    assert all(seconds > 0 for works in d[\"seconds\"][key].values() for tool in works.values() for seconds in tool)
assert len(d[\"seconds\"][\"D\"][\"save\"][\"borg\"]) == 2 and len(d[\"seconds\"][\"C\"][\"change add\"][\"store\"]) == 2
assert 0 < d[\"flushes\"][\"C\"][\"change add\"][\"store\"][0] <= 8 and 0 < d[\"flushes\"][\"C\"][\"change commit\"][\"store\"][0] <= 8
assert d[\"sizes\"][\"D\"][\"save\"][\"store\"][0] > 0 and 0 < d[\"anonymous\"][\"A\"][\"add\"][\"store\"][0] < 64 << 20
assert {v[\"verdict\"] for v in d[\"verdicts\"]} <= {\"PASS\", \"MISS\", \"NOT RUN\"} and len(d[\"verdicts\"]) > 35
bars = xml.dom.minidom.parse(\"o.svg\").getElementsByTagName(\"rect\")
assert len(bars) == 6 + 5 + 6 + 5 + 5 + 4 + 4, len(bars)
"
'

test_expect_success 'the tools take turns: another one begins in every run, each with a fresh repository' '
	grep -c "restic init" order >inits && echo 9 >want && test_cmp want inits &&
	sed -n "/restic init/=; /borg init/=" order | sort -nu | wc -l >starts && test "$(cat starts)" -ge 16
'

test_expect_success 'nothing but the inputs stays behind' '
	(cd cache && find . -name .store -o -name .git -o -name "run.*") >left && test_must_be_empty left &&
	ls cache >left && echo inputs >want && test_cmp want left
'

test_expect_success 'the same inputs are made again from the seed, and kept for the next time' '
	ls -i cache/inputs >first && python3 -B -c "
import sys
sys.path.insert(0, sys.argv[1])
import inputs
for top in (\"cache/inputs\", \"again\"):
    for make in (inputs.get_a, inputs.get_b, inputs.get_c):
        make(top, 1 / 2000)
" "${bench%/*}" && ls -i cache/inputs >second && test_cmp first second && test_line_count -gt 6 first &&
	rm -r cache/inputs/D && diff -r cache/inputs again
'

test_expect_success 'an input that is not asked for, or not there, is NOT RUN' '
	BENCH_ONLY=D RUNS=1 python3 "$bench" >out 2>err && test_grep "^  B: BENCH_ONLY leaves it out" out && test_grep "^  D: .*make bench-peers brings them" out
'

test_expect_success 'a folder of the reader is measured by the same tables, and not touched' '
	mkdir -p mine/sub && seq 1000 >mine/sub/list && ln -s list mine/sub/link && echo "ref: x" >mine/HEAD && (cd mine && find . -printf "%p %m %T@ %C@ %s\n") | sort >before &&
	RUNS=1 python3 "$bench" --dir mine --json dir.json --svg dir.svg >out 2>err && (cd mine && find . -printf "%p %m %T@ %C@ %s\n") | sort >after &&
	test_cmp before after && test_grep "^DIR[.] mine: 3 files" out && test_grep "^  restore  *store " out && test_grep ! "^target" out &&
	python3 -c "import json, xml.dom.minidom; json.load(open(\"dir.json\")); xml.dom.minidom.parse(\"dir.svg\")"
'

# Made-up figures: each bound is met to the last digit, then missed by little, then a part of each target is taken away.
cat >made-up.py <<'EOF'
import copy, json, subprocess, sys
def each(**tools):
    return {tool.replace("_", " "): [seconds, seconds * 3, seconds / 3] for tool, seconds in tools.items()}
store = {"A": {"save": 1, "status": .5, "again": .25, "restore": 4}, "B": {"save": 2, "restore": 3.6, "cold restore": 18, "shifted": 3.7},
         "C": {"save": 3, "status": 7, "again": 14, "restore": 8, "change add": .09, "change commit": .09}, "D": {"save": 10}}
data = {"date": "2026-01-02", "runs": 3, "scale": 1, "targets": True, "machine": {"cpu": "made <up> & \"so\"", "cores": 2, "memory": 2**34, "kernel": "none"},
        "versions": {"store": "1"}, "limits": {"sha256 all cores": 7e9, "fsync": .01}, "inputs": {}, "peak": {}, "flushes": {}, "not_run": [],
        "chunker": {"speed": 3e9, "sha256": 2e9, "predicted_scanned": 0}, "starts": {}, "sizes": {}, "anonymous": {"A": {"add": {"store": [5, 64 << 20]}}}}
data["seconds"] = {key: {work: each(store=value) for work, value in works.items()} for key, works in store.items()}
data["starts"] = {name: {"median": s, "min": s, "max": s, "starts": 9} for name, s in (("store version", .003), ("store status", .005))}
for key in "ABCD":
    data["inputs"][key] = {"title": key + "<&>", "files": 1, "bytes": round(3.6 / 1.2 * 7e9 / 2), "releases": 0}
    data["sizes"][key] = {"save": {"store": [106.0], "restic": [100.0], "borg": [106.0]}}
s = data["seconds"]
s["A"]["save"].update(each(git=7, restic=6, borg=8), **{"cp -r": [5], "tar | zstd -1": [.5]})
s["A"]["status"].update(each(git=.5)); s["A"]["again"].update(each(git=.25)); s["A"]["restore"].update(each(restic=8))
s["B"]["save"].update(each(git=40, restic=10, borg=6), **{"cp -r": [4]})
s["B"]["cold save"] = {"cp -r": [20]}
s["C"]["save"].update(each(git=12), **{"cp -r": [10]}); s["C"]["status"].update(each(git=10)); s["C"]["again"].update(each(git=20))
s["C"]["restore"].update(each(restic=16)); s["C"]["change add"].update(each(git=.9)); s["C"]["change commit"].update(each(git=.9))
s["D"]["save"].update(each(git=20))
data["flushes"]["C"] = {"change add": {"store": [8]}, "change commit": {"store": [8]}}
def verdicts(d, name):
    json.dump(d, open(name, "w"))
    text = subprocess.run([sys.executable, "-S", sys.argv[1], "--report", name, "--json", name, "--svg", name + ".svg"], check=True, stdout=subprocess.PIPE).stdout.decode()
    found = json.load(open(name))["verdicts"]
    lines = [line for line in text.splitlines() if any(f"  {v}  " in line or f"  {v}     " in line for v in ("PASS", "MISS", "NOT RUN"))]
    assert len(lines) == len(found), (len(lines), len(found))
    for line, v in zip(lines, found):
        assert line.startswith(v["work"]) and f"  {v['verdict']}" in line, (line, v)
    return [v["verdict"] for v in found], [v["work"] + ": " + v["against"] for v in found]
def slower(d, factor):
    d = copy.deepcopy(d)
    for works in d["seconds"].values():
        for tools in works.values():
            if "store" in tools:
                tools["store"] = [value * factor for value in tools["store"]]
    for sizes in d["sizes"].values():
        sizes["save"]["store"][0] *= factor
    for works in d["flushes"].values():
        for tools in works.values():
            tools["store"] = [9 if factor > 1 else 7]
    d["anonymous"]["A"]["add"]["store"][1] *= factor
    d["chunker"]["speed"] /= factor
    d["chunker"]["predicted_scanned"] = 1 if factor > 1 else 0
    for start in d["starts"].values():
        start["median"] *= factor
    return d
EOF

test_expect_success 'a target is PASS below its bound, MISS above it, and NOT RUN where a part of it was not measured' '
	cat made-up.py - >run.py <<-\EOF &&
	just, names = verdicts(slower(data, .9999), "just")
	assert set(just) == {"PASS"} and len(just) == 38, [n for n, v in zip(names, just) if v != "PASS"]
	over, _ = verdicts(slower(data, 1.0001), "over")
	assert set(over) == {"MISS"}, [n for n, v in zip(names, over) if v != "MISS"]
	d = copy.deepcopy(data)
	for table in ("seconds", "sizes", "flushes", "anonymous", "starts", "limits"):
	    d[table] = {}
	d["chunker"] = None
	none, _ = verdicts(d, "none")
	assert set(none) == {"NOT RUN"}
	one = slower(data, .9999)
	del one["seconds"]["B"]["save"]["borg"]
	got, _ = verdicts(one, "one")
	assert [n for n, v in zip(names, got) if v != "PASS"] == ["B add + commit: 1/3 x borg"], got
	EOF
	python3 run.py "$bench" && python3 -c "import xml.dom.minidom; xml.dom.minidom.parse(\"just.svg\")"
'

test_expect_success 'the seed figures stand beside their bounds' '
	python3 "$bench" --seeds --json s.json >out 2>err &&
	for row in "add of a file of 1 MB" "add of a file of 1000 MB" "add and commit of 1,000 files" "add and commit of 20,000 files" "walk of 10,000 files in 500 dir" \
		"its first result" "memory of an add of 50 GB" "SHA-256, objects of 64 KiB" "chunking, one core" "100,000 tiny files"
	do
		test_grep "^[13].*$row.* \(PASS\|MISS\|NOT RUN\|told\)\$" out || return 1
	done && python3 -c "
import json
for f in json.load(open(\"s.json\"))[\"figures\"]:
    if f[\"value\"] is None or f[\"bound\"] is None:
        assert f[\"verdict\"] == \"NOT RUN\", f
    else:
        assert (f[\"verdict\"] == \"PASS\") == (f[\"value\"] >= f[\"bound\"] if f[\"at_least\"] else f[\"value\"] <= f[\"bound\"]), f
"
'

test_expect_success 'what it cannot do is exit code 2 with a line that says why, and nothing is left' '
	RUNS=0 test_expect_code 2 python3 "$bench" 2>err && test_grep "^bench: RUNS is at least 1" err &&
	BENCH_SCALE=many test_expect_code 2 python3 "$bench" 2>err && test_grep "^bench: .*are numbers" err &&
	test_expect_code 2 python3 "$bench" --dir nowhere 2>err && test_grep "no folder" err &&
	mkdir bad && printf "#!/bin/sh\n[ \$1 = version ] || { echo oh no >&2; exit 4; }\n" >bad/store && chmod +x bad/store &&
	STORE_BIN=$PWD/bad test_expect_code 2 python3 "$bench" --dir mine 2>err && test_grep "exit code 4 .*oh no" err &&
	ls -A cache >left && echo inputs >want && test_cmp want left
'

test_done
