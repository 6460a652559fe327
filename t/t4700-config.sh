#!/bin/sh
# Settings: who goes before whom, what a value may be, files as git reads them, changes that leave all else alone.
test_leaks=0
. "${0%/*}/test-lib.sh"

export STORE_TEST_FSYNC=0
user=$XDG_CONFIG_HOME/store/config

# refused WORDS...: store config refuses them: exit 2, one line that is kept in refused.err and in $refused, no output.
refused()
{
	test_expect_code 2 store config "$@" >refused.out 2>refused.err && test_must_be_empty refused.out &&
		{ IFS= read -r refused && ! IFS= read -r refused_more; } <refused.err
}

# refused_with TEXT: that line holds it.
quote=\'
refused_with()
{
	case $refused in
	*"$1"*) return 0 ;;
	esac
	echo "not in it, '$1': $refused"
	return 1
}

# value_is WANT WORDS...: `store WORDS` prints WANT.
value_is()
{
	value_want=$1 && shift && value_got=$(store "$@") && test "$value_got" = "$value_want" && return 0
	echo "wanted '$value_want', got '$value_got': $*"
	return 1
}

test_expect_success 'a flag goes before the environment, that before the repository, that before the user, that before what is built in' '
	store init -q r && cd r && value_is 30s config core.lockTimeout && test_expect_code 1 store config core.pager >out && test_must_be_empty out &&
	store config --global core.pager user && value_is user config core.pager && store config core.pager repo && value_is repo config core.pager &&
	export STORE_PAGER=env && value_is env config core.pager && value_is flag -c core.pager=flag config core.pager &&
	value_is user config --global core.pager && unset STORE_PAGER && value_is repo config --get core.pager &&
	printf "%s\n" user repo >../want && store config --get-all core.pager >../got && test_cmp ../want ../got &&
	store config --unset core.pager && value_is user config core.pager && store config --unset --global core.pager && test_expect_code 1 store config core.pager &&
	test_expect_code 1 store config --unset core.pager 2>../err && test_grep "is not set there" ../err
'

test_expect_success 'an origin tells the level, and the file and line or the variable' '
	cd r && store config user.name "A B" && store config --global user.email a@b && here=$(pwd -P) &&
	STORE_PAGER=cat store -c core.codec=none config --list --show-origin >../list &&
	tab=$(printf "\t") && test_grep -x "built-in:${tab}core.codec=zlib" ../list && test_grep -x "command line:${tab}core.codec=none" ../list &&
	test_grep -x "environment:STORE_PAGER${tab}core.pager=cat" ../list && test_grep -x "file:$user:[0-9]*${tab}user.email=a@b" ../list &&
	test_grep -x "file:$here/.store/config:4${tab}user.name=A B" ../list && tail -n 1 ../list >../last && test_grep "^command line:" ../last &&
	store config --json user.name >../json && printf "%s\n" \
		"{\"schema\":\"store/config/1\",\"key\":\"user.name\",\"value\":\"A B\",\"level\":\"repository\",\"origin\":\"$here/.store/config\",\"line\":4,\"remark\":null}" >../want &&
	test_cmp ../want ../json && store config --json core.codec >../json && test_grep "\"level\":\"built-in\",\"origin\":null,\"line\":null" ../json &&
	store config -z --list --global | tr "\\n\\0" "=\\n" >../got && echo "user.email=a@b" >../want && test_cmp ../want ../got
'

test_expect_success 'outside of a repository the user s file is told and changed, and a repository is asked for where one is needed' '
	mkdir outside && cd outside && store config --list >list && test_grep -x user.email=a@b list && value_is a@b config user.email && store config --global user.email c@d &&
	value_is c@d config --global user.email && refused user.name X && refused_with "store init" && refused --unset user.name &&
	refused_with "store init" && (unset XDG_CONFIG_HOME HOME && refused --global user.name X && refused_with HOME && value_is main config init.defaultBranch)
'

test_expect_success '--local is the repository s file alone, which a change goes to anyway' '
	store init -q local && cd local && store config --global x-place.a user && test_expect_code 1 store config --local x-place.a && store config --local x-place.a here &&
	value_is here config x-place.a && value_is here config --local --get-all x-place.a && value_is user config --global x-place.a && store config --local --list >../got &&
	echo x-place.a=here >../want && test_cmp ../want ../got && store config --local --unset x-place.a && value_is user config x-place.a && store config --global --unset x-place.a &&
	refused --local --global x-place.a && refused_with "without --global"
'

test_expect_success 'an unknown key is refused with the nearest, and what other systems call it with our name' '
	cd r && refused core.codek && refused_with "the nearest is ${quote}core.codec" && refused user.nmae x && refused_with "nearest is ${quote}user.name" &&
	refused corre.codec x && refused codec x && refused core.chunk_size 65536 && refused_with "chunking.average" &&
	for word in nonsense.key "$(printf "%0200d" 0).key"; do
		refused "$word" && refused_with "there is no key" && refused_with "config --keys${quote} lists all" && test_grep ! nearest refused.err || return 1
	done &&
	refused x-mine x && refused x-mine.1 x && refused "x-mine.a b" x && refused "x-m e.a" x && store config x-mine.a 1 && store config "x-mine.Some [\"odd\\] name.a" 2 &&
	value_is 1 config X-Mine.A && value_is 2 config "x-mine.Some [\"odd\\] name.A" && test_expect_code 1 store config "x-mine.some [\"odd\\] name.a" &&
	git config --file .store/config --get "x-mine.Some [\"odd\\] name.a" >../got && echo 2 >../want && test_cmp ../want ../got
'

test_expect_success 'a value that its key cannot have is refused, naming it, and nothing is written' '
	cd r && cp .store/config ../before && cp "$user" ../before.user && while read -r level key value why; do
		test "$value" != EMPTY || value=
		set -- -- "$key" "$value" && { test "$level" = repo || set -- --global "$@"; } &&
		refused "$@" && refused_with "$why" && refused_with "$key" || { echo "$key $value"; return 1; }
	done <<-\EOT &&
	repo core.trustctime maybe which is no true or false
	repo core.trustctime EMPTY which is no true or false
	repo core.codecLevel x which is no number
	repo core.codecLevel -1 which is no number
	repo core.codecLevel 20 from 0 to 19
	repo performance.threads 1025 from 0 to 1024
	repo performance.max_worker_threads 1K which is no number
	repo performance.batch_size 0 of at least 1
	repo performance.buffer_size 1 of at least 4096
	repo performance.buffer_size 64KBB which is no size such as 64KB
	repo performance.chunk_cache_size 1.5MB which is no size
	repo performance.chunk_cache_size 99999999999999999999 which is no size
	repo core.lockTimeout 5y which is no duration such as 30s
	repo core.codec lz4 which is no none, zlib or zstd
	repo core.metadata all which is no none, times or posix
	user chunking.average 1000 power of two from 256 to 2097152
	user chunking.huge_file_chunk_size 4MB power of two from 256 to 2097152
	user core.dbDir /x belongs into the configuration of one repository
	repo safe.directory / --global
	repo chunking.average 4K --global
	repo init.defaultBranch x --global
	repo user.nick x nearest
	EOT
	refused core.dbDir "$(printf "a\nb")" && refused_with "which is no path" && refused --add user.name x && refused_with "has one value" &&
	refused && refused --list x && refused --get && refused --list --keys && refused --unset && refused user.name a b && refused --add user.name && refused --json -z user.name &&
	rm -f refused.out refused.err && test_cmp ../before .store/config && test_cmp ../before.user "$user"
'

# A value is judged by the same table whether it is read or set: each is read by a command that opens the repository, one of
# every type at a time, and the oddest are set.  A word that no type takes is the proof that the command looks.
test_expect_success 'every type takes what store-config(5) says of it' '
	store init -q types && cd types && cp .store/config ../plain && while read -r flag bytes time codec metadata; do
		printf "[core]\n\ttrustctime = %s\n\tlockTimeout = %s\n\tcodec = %s\n\tmetadata = %s\n[performance]\n\tcompression_threshold = %s\n" \
			$flag $time $codec $metadata "$bytes" >.store/config && store info >../out || { echo "$flag $bytes $time"; return 1; }
	done <<-\EOT &&
	true 4096 7 none none
	false 8KB 250ms zlib times
	yes 8kib 30s zstd posix
	no 64kb 5m ZSTD none
	on 1M 5min none none
	off 1mb 1h none none
	1 1MiB 1d none none
	0 1G 7 none none
	TRUE 1gb 7 none none
	Off 1GiB 7 none none
	true 1t 7 none none
	true 1TB 7 none none
	true 1TiB 7 none none
	true 4096B 7 none none
	EOT
	cp ../plain .store/config &&
	for row in core.trustctime=Off "performance.compression_threshold=64 KB" core.lockTimeout=5min core.codec=ZSTD core.metadata=posix; do
		store config "${row%%=*}" "${row#*=}" && value_is "${row#*=}" config "${row%%=*}" || return 1
	done && store info &&
	for row in core.trustctime=TRUEish performance.compression_threshold=64KBB core.lockTimeout=7min5 core.codec=zs core.metadata=time; do
		test_expect_code 2 store -c "$row" info 2>../err && test_grep "${row%%=*}.*which is no" ../err || return 1
	done
'

test_expect_success 'a file that no repository can be opened with is put right by the same command' '
	store init -q sick && cd sick && printf "[core]\n\tcodec = lzma\n\tcodek = 1\n" >.store/config && test_expect_code 2 store info 2>../err && test_grep "codek" ../err &&
	test_expect_code 2 store config --list 2>../err && store config --unset core.codek && test_expect_code 2 store info 2>../err && test_grep "lzma" ../err &&
	store config core.codec zstd && store info && printf "[core]\n\tcodec = zstd\n" >../want && test_cmp ../want .store/config &&
	printf "[core\n" >.store/config && refused core.codec none && refused_with "line 1" && printf "[core\n" >../want && test_cmp ../want .store/config
'

test_expect_success 'a key that may stand several times is added to, told whole, and taken out one by one' '
	store config --global safe.directory /a && store config --global --add safe.directory /b && store config --global --add safe.directory /c &&
	printf "%s\n" /a /b /c >want && store config --get-all safe.directory >got && test_cmp want got && refused --global safe.directory /d && refused_with "stands 3 times" &&
	store config --global --unset safe.directory /b && printf "%s\n" /a /c >want && store config --get-all safe.directory >got && test_cmp want got &&
	store config --global --unset safe.directory && test_expect_code 1 store config --get-all safe.directory
'

test_expect_success 'a value that is one more than a file may hold is refused before it is written, and one that is there can be changed' '
	cd r && cp .store/config ../before && python3 - .store/config <<-\END &&
	import sys
	text = open(sys.argv[1]).read()
	have = sum("=" in line and not line.startswith("#") for line in text.splitlines())
	open(sys.argv[1], "a").write("[x-many]\n" + "".join(f"k{i} = v\n" for i in range(4095 - have)))
	END
	store config x-many.last 1 && value_is 1 config x-many.last && cp .store/config ../full &&
	refused x-many.more 1 && test_grep "would have value 4097; a file holds 4096 at most" refused.err && cmp .store/config ../full &&
	refused core.codec zlib && cmp .store/config ../full && store config x-many.last 2 && value_is 2 config x-many.last && store config --unset x-many.k0 &&
	store config x-many.more 1 && value_is 1 config x-many.more && cp ../before .store/config
'

test_expect_success 'the file keeps its mode, a link stays a link, and two who set at once lose nothing' '
	cd r && chmod 600 .store/config && store config user.name M && test "$(stat -c %a .store/config)" = 600 && chmod 666 .store/config && store config user.name N &&
	test "$(stat -c %a .store/config)" = 666 && mkdir -p ../dots && mv "$user" ../dots/mine && ln -s "$(cd .. && pwd)/dots/mine" "$user" && chmod 640 ../dots/mine &&
	store config --global user.email l@n && test -L "$user" && test_grep "l@n" ../dots/mine && test "$(stat -c %a ../dots/mine)" = 640 && ls ../dots >../got && echo mine >../want && test_cmp ../want ../got &&
	rm ../dots/mine && test_expect_code 2 store config --global user.email x 2>../err && test_grep "symbolic link to nothing" ../err && rm "$user" && store config --global user.email l@n &&
	pids= && for i in 1 2 3 4 5 6 7 8; do store config x-race.k$i $i & pids="$pids $!"; done && for pid in $pids; do wait $pid || return 1; done &&
	store config --list >../list && for i in 1 2 3 4 5 6 7 8; do echo x-race.k$i=$i; done >../want && grep "^x-race" ../list | sort >../got && test_cmp ../want ../got && store config --unset x-race.k1 && ls .store >../got && test_grep ! new ../got
'

test_expect_success 'a change that is cut short leaves the old file or the new one' '
	cd r && cp .store/config ../before && for point in write fsync rename; do
		test_expect_code 2 env STORE_FAULT=$point:1:EIO STORE_TEST_FSYNC=1 store config user.name "Other $point" 2>../err && test_line_count -eq 1 ../err && test_cmp ../before .store/config &&
		test_must_fail sh -c "STORE_TEST_FSYNC=1 STORE_FAULT=$point:1:kill store config user.name Killed; exit 1" && test_cmp ../before .store/config || return 1
	done && store config user.name After && value_is After config user.name && ls .store >../got && test_grep ! new ../got
'

test_expect_success ROOT 'of the repository of another user nothing that its file names is run, and it is not changed' '
	store init -q theirs && store -C theirs config core.pager "touch $PWD/ran; cat" && store -C theirs config user.name Them && echo 1 >theirs/f && store -C theirs -q add f && store -C theirs commit -qm 1 &&
	chown -R 1234:1234 theirs && cd theirs && TERM=xterm script -qec "store log; store config --list" /dev/null >../seen && test_path_is_missing ../ran &&
	test_grep ! touch ../seen && test_expect_code 1 store config core.pager && value_is Them config user.name && test_expect_code 2 store config user.name Me 2>../err && test_grep "safe.directory" ../err &&
	test_expect_code 2 store config --unset user.name 2>../err && value_is Them config user.name && store -c safe.directory=$PWD config user.name Me && value_is Me config user.name &&
	test "$(stat -c %u .store/config)" = 1234
'

test_expect_success 'what git reads of a file is what store reads, and a change by store changes nothing else' '
	python3 "$SRC_ROOT/t/config-cases.py" "$(test_cases 120)"
'

# The blocks as they stand in the requirements, with quotes and comments behind values.
cat >seed.toml <<\EOF
[chunking]
# Small files (<1MB): larger chunks for efficiency
small_file_chunk_size = "256KB"
small_file_threshold = "1MB"

# Medium files (1MB-100MB): standard chunking
medium_file_chunk_size = "1MB"
medium_file_threshold = "100MB"

# Large files (>100MB): smaller chunks for parallelism
large_file_chunk_size = "512KB"

# Very large files (>1GB): optimize for streaming
huge_file_chunk_size = "2MB"
huge_file_threshold = "1GB"
[performance]
# Parallel processing
max_worker_threads = 0  # 0 = auto-detect CPU cores
batch_size = 100        # Files per batch for small file processing
buffer_size = "64KB"    # I/O buffer size

# Memory management
max_memory_usage = "2GB"     # Maximum memory for caching
chunk_cache_size = "500MB"   # Chunk deduplication cache
file_cache_size = "100MB"    # File metadata cache

# I/O optimization
async_io = true              # Use async I/O for large operations
memory_map_threshold = "10MB" # Use mmap for files larger than this
compression_threshold = "4KB" # Compress chunks larger than this
EOF

test_expect_success 'blocks of settings pasted from the requirements load in either file, and each key that does nothing says so' '
	cp seed.toml "$user" && store init -q pasted && cd pasted && store info >../got && test_grep "^chunk average: *2097152\$" ../got && store config --list >../list 2>../err &&
	for row in chunking.small_file_chunk_size=256KB chunking.huge_file_threshold=1GB performance.max_worker_threads=0 performance.batch_size=100 performance.async_io=true; do
		test_grep -x "$row" ../list || return 1
	done && for key in async_io file_cache_size memory_map_threshold; do test_grep "performance.$key does nothing: " ../err || return 1; done &&
	for key in max_memory_usage chunk_cache_size; do test_grep "performance.$key is more than is ever used: it counts as" ../err || return 1; done && test_line_count -eq 5 ../err &&
	echo 1 >f && store -q add f && store commit -qm 1 2>../err && test_must_be_empty ../err && rm "$user" && cp ../seed.toml .store/config && store status 2>../err && test_must_be_empty ../err &&
	store config --list 2>../err >../list && test_line_count -eq 12 ../err && test_grep "chunking.huge_file_threshold does nothing in a repository" ../err &&
	store config performance.async_io 2>../err >../got && echo true >../want && test_cmp ../want ../got && test_line_count -eq 1 ../err
'

test_expect_success 'size classes of files are obeyed by init: chunks are counted' '
	printf "[chunking]\nsmall_file_chunk_size = 256\nsmall_file_threshold = 100KB\nlarge_file_chunk_size = \"64KB\"\n" >"$user" && test_when_finished rm "$user" && store init -q classes &&
	python3 -c "import random; random.seed(5); open(\"classes/s\", \"wb\").write(random.randbytes(99000)); open(\"classes/l\", \"wb\").write(random.randbytes(110000))" &&
	cd classes && store add --stats -q s 2>../small && store add --stats -q l 2>../large && test "$(sed -n "s/^chunks: //p" ../small)" -gt 200 && test "$(sed -n "s/^chunks: //p" ../large)" -lt 10 &&
	cd .. && store -c chunking.average=512 -c chunking.large_file_chunk_size=512 init -q average && cp classes/s classes/l average && cd average && store add --stats -q l 2>../large &&
	test "$(sed -n "s/^chunks: //p" ../large)" -gt 100
'

# Each key alone, beside four files of which one is in each class; what it cuts finer is told by how many chunks there are more.
cat >classes.py <<'EOF'
import os, random, re, shutil, subprocess

SIZES = {"s": 40000, "m": 150000, "l": 300000, "h": 600000}
USUAL = {"small_file_threshold": "100KB", "medium_file_threshold": "200KB", "huge_file_threshold": "500KB",
         **{kind + "_file_chunk_size": "64KB" for kind in ("small", "medium", "large", "huge")}}
CASES = [("s", {"small_file_chunk_size": "256"}), ("sm", {"small_file_chunk_size": "256", "small_file_threshold": "190KB"}),
         ("m", {"medium_file_chunk_size": "256"}), ("ml", {"medium_file_chunk_size": "256", "medium_file_threshold": "400KB"}),
         ("l", {"large_file_chunk_size": "256"}),
         ("h", {"huge_file_chunk_size": "256"}), ("lh", {"huge_file_chunk_size": "256", "huge_file_threshold": "250KB"})]

random.seed(11)
os.mkdir("sizes")
for name, size in SIZES.items():
    with open("sizes/" + name, "wb") as f:
        f.write(random.randbytes(size))


def chunks(changed):
    flags = [w for key, value in {**USUAL, **changed}.items() for w in ("-c", f"chunking.{key}={value}")]
    shutil.rmtree("sizes/.store", ignore_errors=True)
    subprocess.run(["store", *flags, "init", "-q", "sizes"], check=True)
    told = subprocess.run(["store", "-C", "sizes", "add", "--stats", "-q", "."], stderr=subprocess.PIPE, check=True).stderr
    return int(re.search(rb"^chunks: (\d+)$", told, re.M)[1])


usual = chunks({})
for files, changed in CASES:
    more, wanted = chunks(changed) - usual, sum(SIZES[f] for f in files) / 256
    assert .8 * wanted < more < 1.25 * wanted, (files, changed, usual, more, wanted)
assert {key for _, changed in CASES for key in changed} == set(USUAL)
EOF

test_expect_success 'each key of the seven about size classes changes how many chunks the files of its class are cut into, and no others' '
	python3 classes.py
'

test_expect_success 'a key without counterpart says so when it is set, and why; one that has one says nothing, or what its value counts as' '
	store init -q told && cd told && sed -n "/^\[performance\]/,\$s/^\([a-z_]*\) = \"*\([^\" ]*\).*/\1 \2/p" ../seed.toml >rows && test_line_count -eq 9 rows &&
	store config --keys --json >keys && : >said && while read -r key value; do
		store config "performance.$key" "$value" 2>err >out && test_must_be_empty out || return 1
		unused=$(sed -n "s/.*\"key\":\"performance.$key\".*\"unused\":\"\(.*\)\"}\$/\1/p" keys) && case $key in
		async_io | file_cache_size | memory_map_threshold) echo "store: performance.$key does nothing: ${unused:-why?}" ;;
		max_memory_usage) echo "store: performance.$key is more than is ever used: it counts as 16777216" ;;
		chunk_cache_size) echo "store: performance.$key is more than is ever used: it counts as 8388608" ;;
		esac >want && test_cmp want err && cat err >>said && value_is "$value" config "performance.$key" 2>err && test_cmp want err || return 1
	done <rows && test_line_count -eq 5 said && test_grep "async_io does nothing: reading, hashing and writing always go on side by side" said &&
	store config --json --global performance.file_cache_size 1MB 2>err && test_when_finished rm -f "$user" &&
	test_grep "^{\"schema\":\"store/notice/1\",\"kind\":\"warning\",.*\"message\":\"performance.file_cache_size does nothing: what is known of files" err && test_line_count -eq 1 err &&
	refused chunking.huge_file_threshold 1GB && refused_with "--global"
'

test_expect_success 'setup of 120 small files and a large one, to count work on' '
	python3 -c "
import os, random
random.seed(7)
os.mkdir(\"work\")
for i in range(120):
    open(f\"work/{i}\", \"w\").write(f\"{i} \" * 1500)
open(\"work/large\", \"wb\").write(b\"\".join(b\"%d,\" % random.randrange(1 << 40) for _ in range(100000)))
"
'

# added FLAGS...: add work anew, with these flags; "pipe" has the trace, "stats" the numbers.
added()
{
	rm -rf work/.store pipe && store init -q work && STORE_TRACE=pipe:$PWD/pipe store -C work "$@" add --stats -q . 2>stats
}

# field NAME: the greatest number NAME= of the trace.  number NAME: one of the statistics.
field()
{
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" pipe | sort -n | tail -n 1
}

number()
{
	sed -n "s/^$1: //p" stats
}

test_expect_success 'setup of the numbers that the built-in values give' '
	added && usual_items=$(field items) && usual_consumed=$(field consumed) && usual_bytes=$(number "stored bytes") && store -C work commit -qm 1 &&
	set -- 100 110 101 111 102 112 && store -C work --stats cat "$@" 2>stats >one && usual=$(number "decoded bytes") &&
	store -C work -c performance.chunk_cache_size=0 --stats cat "$@" 2>stats >two && none=$(number "decoded bytes")
'

test_expect_success 'performance.threads, and max_worker_threads as another name of it, is the number of threads' '
	for key in threads max_worker_threads; do
		for n in 1 3; do added -c performance.$key=$n && echo "$key $n $(field workers)" || return 1; done
	done >got && printf "%s\n" "threads 1 1" "threads 3 3" "max_worker_threads 1 1" "max_worker_threads 3 3" >want && test_cmp want got &&
	strace -f -o trace -e trace=clone,clone3 store -C work -c performance.max_worker_threads=4 fsck >/dev/null && test_grep clone trace &&
	strace -f -o trace -e trace=clone,clone3 store -C work -c performance.max_worker_threads=1 fsck >/dev/null && test_grep ! clone trace &&
	store -C work config performance.threads 2 && value_is 2 -C work config performance.max_worker_threads && value_is 5 -C work -c performance.max_worker_threads=5 config performance.threads
'

test_expect_success 'performance.batch_size is how many small files make an item of work' '
	added -c performance.batch_size=1 && one=$(field consumed) && added -c performance.batch_size=10 && ten=$(field consumed) &&
	added -c performance.batch_size=9999 && most=$(field consumed) && test "$one" -ge 120 && test "$ten" -ge 12 && test "$ten" -lt 30 && test "$usual_consumed" -lt 10 && test "$most" = "$usual_consumed" &&
	store -C work -c performance.batch_size=9999 config performance.batch_size 2>err >out && test_grep "counts as 256" err
'

test_expect_success 'performance.buffer_size is how many bytes of a large file are read at once' '
	for size in 64KB 256KB; do
		rm -rf work/.store && store init -q work && strace -f -y -o trace -e trace=pread64 store -C work -c performance.buffer_size=$size add -q large &&
		grep "work/large>" trace | sed -n "s/.*, \([0-9]*\), [0-9]*) *=.*/\1/p" | sort -n | tail -n 1 || return 1
	done >got && printf "%s\n" 65536 262144 >want && test_cmp want got
'

test_expect_success 'performance.max_memory_usage bounds the pool that files pass through, and more than is ever used is capped' '
	added -c performance.max_memory_usage=4MB && few=$(field items) && added -c performance.max_memory_usage=2GB && most=$(field items) &&
	test "$few" -lt "$usual_items" && test "$usual_items" -le "$most" && test "$most" -le 8 &&
	store -C work -c performance.max_memory_usage=2GB config performance.max_memory_usage 2>err >out && test_grep "counts as 16777216" err
'

test_expect_success 'the limits of texts that are compared by lines have a greatest value, and more counts as it' '
	store -C work -c diff.textLimit=1GB -c diff.lineLimit=1000000 config --list 2>err >out && test_grep "diff.textLimit is more than is ever used: it counts as 8388608" err &&
	test_grep "diff.lineLimit is more than is ever used: it counts as 131072" err && test_line_count -eq 2 err
'

test_expect_success 'performance.chunk_cache_size is the memory for decoded blocks: with none of it blocks are decoded again' '
	test_cmp one two && test "$none" -gt $((2 * usual))
'

test_expect_success 'performance.compression_threshold leaves blocks up to it as they are' '
	added -c performance.compression_threshold=1MB && plain=$(number "stored bytes") && added -c core.codec=none && none=$(number "stored bytes") &&
	test $((4 * usual_bytes)) -lt $((3 * plain)) && test $((none - plain)) -lt 1000 && store -C work fsck
'

test_expect_success 'store-config(5) has every key with type and built-in value, and no other' '
	store config --keys | awk -F"\t" "{ print \$1, \$2, \$3 }" >table && test_line_count -ge 31 table &&
	sed -n "s/^[.]It Li \([a-z-]*[.][A-Za-z_]*\) Pq \([a-z]*\) , \(.*\)\$/\1 \2 \3/p" "$SRC_ROOT/man/store-config.5" >page && test_cmp table page &&
	store config --keys --json >json && test_line_count -eq "$(wc -l <table)" json && test_grep "\"key\":\"performance.async_io\",\"type\":\"bool\",\"default\":null,\"variable\":null,\"help\":\"no counterpart\",\"unused\":\"[a-z]" json
'

test_expect_success 'store-config(5) has a row for each key of the blocks' '
	sed -n "s/^\([a-z_]*\) = .*/\1/p" seed.toml | sort >keys && test_line_count -eq 16 keys && while read -r key; do
		test_grep "^[.]It $key Ta" "$SRC_ROOT/man/store-config.5" || return 1
	done <keys
'

test_done
