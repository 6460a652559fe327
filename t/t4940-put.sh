#!/bin/sh
# store put: a stream becomes what add would make of a file with its bytes, or nothing at all.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Bytes of a random file of 3 MiB with a run of zeros in it, the same every time.
make_noise()
{
	random_bytes 5 2000000 && head -c 1500000 /dev/zero && random_bytes 6 100000
}

test_expect_success 'setup: a repository, and something to put' '
	make_noise >noise &&
	store init -q r &&
	rm r/.store/ballast &&
	cp noise r/file &&
	store -C r add -q file &&
	store -C r commit -q -m one
'

test_expect_success 'a stream has the id, height and size that add gave the file, and stores nothing anew' '
	store -C r --json put copy <noise >out &&
	store -C r --json ls :copy >staged &&
	store -C r --json ls HEAD:file >added &&
	python3 - out staged added <<-\EOF
	import json, sys
	put, staged, added = [json.loads(open(f).readline()) for f in sys.argv[1:]]
	wanted = [added[k] for k in ("id", "height", "size")] if "id" in added else [added["node"][k] for k in ("id", "height", "size")]
	got = [put[k] for k in ("id", "height", "size")]
	assert got == wanted, (got, wanted)
	assert put["new_chunks"] == 0 and put["new_bytes"] == 0, put
	assert put["chunks"] > 10 and put["version"] is None, put
	EOF
'

test_expect_success 'what was put reads back, is committed, and restore brings it to disk' '
	store -C r cat :copy | cmp - noise &&
	store -C r status --porcelain >got &&
	echo "AD copy" >want &&
	test_cmp want got &&
	store -C r commit -q -m two &&
	store -C r restore -q copy &&
	cmp noise r/copy &&
	store -C r status --porcelain >got &&
	test_must_be_empty got
'

test_expect_success 'a program is one, and no byte at all is a file too' '
	printf "#!/bin/sh\nexit 7\n" | store -C r put -q --executable bin/run &&
	store -C r put -q empty </dev/null &&
	store -C r commit -q -m three &&
	store -C r restore -q bin empty &&
	test_expect_code 7 r/bin/run &&
	test -f r/empty &&
	test ! -s r/empty
'

test_expect_success 'a program stays one, and permissions that are recorded stay, unless it is told' '
	printf "exit 8\n" | store -C r put -q bin/run &&
	store -C r commit -q -m four && store -C r restore -q bin && test_expect_code 8 r/bin/run &&
	printf "exit 9\n" | store -C r put -q --no-executable bin/run &&
	store -C r --json ls :bin/run >out && test_grep "\"kind\":\"file\"" out &&
	store -C r reset -q && rm -r r/bin r/empty && store -C r restore -q bin empty &&
	store init -q m && store -C m config core.metadata times &&
	echo secret >m/key && chmod 600 m/key && store -C m add -q key && store -C m commit -q -m one &&
	echo changed | store -C m put -q key && store -C m commit -q -m two && store -C m checkout -q --to "$PWD/out-m" HEAD &&
	echo changed >want && test_cmp want out-m/key && test "$(stat -c %a out-m/key)" = 600
'

test_expect_success 'an ignored path is refused without -f, and a tracked one is none' '
	echo "*.log" >r/.storeignore &&
	test_expect_code 2 store -C r put a.log <noise 2>err && test_line_count -eq 1 err &&
	test_grep "^store: .a.log. is ignored: nothing was staged; .store put -f. takes it$" err &&
	test_must_fail store -C r cat :a.log 2>err &&
	echo one | store -C r put -q -f a.log && echo two | store -C r put -q a.log &&
	store -C r cat :a.log >got && echo two >want && test_cmp want got && rm r/.storeignore
'

test_expect_success 'what is staged already is left alone: no pack, and no second look at the file' '
	ls r/.store/packs >before && store -C r --stats put file <noise 2>stats && ls r/.store/packs >after && test_cmp before after &&
	store -C r --stats status --porcelain -uno file >got 2>stats-status && test_must_be_empty got &&
	test_grep "^opened: *0$" stats-status &&
	test_grep "^publications: *0$" stats && test_grep "^files: *1$" stats && test_grep "^bytes: *3600000$" stats &&
	echo other | store -C r --stats put other 2>stats && test_grep "^publications: *1$" stats &&
	test_grep "^new objects: *1$" stats
'

# The first segment of a stream is 1 MiB; the classes end at 1.5 MiB and 2.5 MiB.
sizes='1048575 1048576 1048577 1572863 1572864 2621440 3000000'
[ -z "${STORE_TEST_LIGHT-}" ] || sizes='1048576 1572863 2621439 3000000'
test_expect_success 'in each class of chunk sizes a stream has the id of add, whoever knows its size' '
	store -c chunking.small_file_threshold=1536k -c chunking.small_file_chunk_size=4096 \
		-c chunking.medium_file_threshold=2560k -c chunking.medium_file_chunk_size=16384 init -q classes &&
	for n in $sizes; do
		head -c $n noise >classes/add-$n || return 1
	done &&
	store -C classes add -q . &&
	for n in $sizes; do
		store -C classes --json put file-$n <classes/add-$n >file.json && test_grep "\"new_bytes\":0," file.json &&
		cat classes/add-$n | store -C classes --json put --size $n told-$n >told.json && test_grep "\"new_bytes\":0," told.json &&
		cat classes/add-$n | store -C classes put -q pipe-$n &&
		cat classes/add-$n | store -C classes put -q --verify --size 1300k wrong-$n &&
		store -C classes put -q --size 9g long-$n <classes/add-$n || return 1
	done &&
	store -C classes --json ls : >ids && python3 - ids <<-\EOF &&
	import json, sys
	ids = {}
	for line in open(sys.argv[1]):
	    e = json.loads(line)
	    way, n = e["path"].split("-")
	    e = e.get("node", e)
	    ids.setdefault(n, {})[way] = (e["id"], e["height"], e["size"])
	assert len(ids) in (4, 7) and all(len(ways) == 6 for ways in ids.values()), ids
	assert all(len(set(ways.values())) == 1 for ways in ids.values()), ids
	EOF
	store -C classes fsck
'

test_expect_success 'an expectation that does not hold refuses the stream and stages nothing' '
	echo one | store -C r put -q --expect none shared &&
	id=$(echo one | sha256sum | cut -d" " -f1) &&
	test_must_fail store -C r put --expect none shared <noise 2>err &&
	test_grep "^store: .shared. is tracked already, as $id$" err &&
	echo two | store -C r put -q --expect "$id" shared &&
	test_must_fail store -C r put --expect "$id" shared <noise 2>err &&
	test_grep "not the expected version" err &&
	test_must_fail store -C r put --expect "$id" absent <noise 2>err &&
	test_grep "is not tracked, and a version of it was expected" err &&
	test_expect_code 2 store -C r put --expect abc shared <noise 2>err &&
	test_grep "64 digits" err &&
	store -C r cat :shared >got &&
	echo two >want &&
	test_cmp want got
'

test_expect_success 'places where no file can be are refused by name' '
	test_must_fail store -C r put bin <noise 2>err && test_grep "bin. is a directory" err &&
	test_must_fail store -C r put file/below <noise 2>err && test_grep "file. is tracked as a file" err &&
	test_must_fail store -C r put .store/x <noise 2>err && test_grep "never stored" err &&
	test_must_fail store -C r put ../x <noise 2>err && test_grep "outside of the working tree" err &&
	test_must_fail store -C r put --codec lzma x <noise 2>err && test_grep "lzma. is no codec" err &&
	test_must_fail store -C r put . <noise 2>err && test_grep "top of the working tree is a directory" err &&
	long=$(printf "%0256d" 0) && test_must_fail store -C r put "a/$long" <noise 2>err && test_grep "the name .000*[.]*. has 256 bytes; at most 255 can be stored" err &&
	deep=$(yes abcdefg | head -n 513 | tr "\n" /)x && test_must_fail store -C r put "$deep" <noise 2>err && test_grep "the path .abcdefg/.* has 4105 bytes; at most 4096 can be stored" err &&
	test_must_fail store -C r put new/ <noise 2>err && test_grep "new/. names a folder" err &&
	test_must_fail store -C r put shared <&- 2>err && test_grep "cannot read standard input: Bad file" err &&
	test_must_fail store -C r put x <r 2>err && test_grep "cannot read standard input: Is a directory" err &&
	test_expect_code 2 store -C r put </dev/null 2>err && test_grep "name one path" err
'

test_expect_success 'versions are counted from the history' '
	echo zero | store -C r put --count-version counted >got && test_grep "version 0\$" got &&
	store -C r commit -q -m zero &&
	echo one | store -C r put --count-version counted >got && test_grep "version 1\$" got &&
	store -C r commit -q -m one &&
	echo two | store -C r put --count-version counted >got && test_grep "version 2\$" got
'

test_expect_success 'an interrupted put stages nothing and leaves nothing' '
	mkfifo pipe &&
	{ store -C r put late <pipe >out 2>err & pid=$!; } &&
	exec 9>pipe &&
	cat noise >&9 &&
	kill -TERM $pid &&
	exec 9>&- &&
	test_expect_code 143 wait $pid &&
	test_must_fail store -C r cat :late 2>err &&
	is_whole r
'

# Chunks of 256 bytes, so that one stream is more than a batch.
test_expect_success 'setup: a repository of small chunks' '
	store init -q --chunk-average 256 s &&
	rm s/.store/ballast &&
	store -C s commit -q --allow-empty -m one &&
	for nth in 1 2 3; do random_bytes ${nth}x 700000 >new-$nth || return 1; done &&
	echo two >want
'
passings='1 2 3'
[ -z "${STORE_TEST_LIGHT-}" ] || passings='1 2'

for point in tmp.create pack.write pack.sync publish.rename publish.sync env.commit ingest.mid; do
	test_expect_success "a put killed at $point leaves the old content, and the next one works" "
		: >all-fired &&
		echo two | store -C s put -q shared &&
		for nth in $passings; do
			look_closely_in_turn
			killed $point:\$nth store -C s put shared <new-\$nth
			rc=\$?
			[ \$rc -ne 1 ] || break
			[ \$rc -eq 0 ] && store -C s cat :shared >got || return 1
			cmp -s got new-\$nth || test_cmp want got || return 1
			echo two | store -C s put -q shared && is_whole s || return 1
		done &&
		test_grep '^$point:1:kill' all-fired
	"
done

test_expect_success 'compression is the one that was asked for, and --verify reads it back' '
	seq 200000 >numbers &&
	for codec in none zlib zstd; do
		store init -q c-$codec &&
		store -C c-$codec put -q --codec $codec --verify numbers <numbers &&
		du -k --apparent-size c-$codec/.store/packs | tail -n 1 | cut -f1 >$codec.kib &&
		store -C c-$codec cat :numbers | cmp - numbers || return 1
	done &&
	test "$(cat none.kib)" -gt 1200 &&
	test "$(cat zlib.kib)" -lt 900 &&
	test "$(cat zstd.kib)" -lt 900
'

test_done
