#!/bin/sh
# Checkout: what was committed comes back bit for bit, into the working tree or a folder of its own.
. "$(dirname "$0")/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"
. "$SRC_ROOT/t/trees-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC
# The passings at which a checkout is killed, and one that builds a stage.
kills='1 2 5 9' built='1 2 3 4 5'
[ -z "${STORE_TEST_LIGHT-}" ] || kills='1 5' built='1 3 5'

# clean: nothing is staged, changed or untracked.
clean()
{
	store status --porcelain >"$TRASH/status.out" && test_must_be_empty "$TRASH/status.out"
}

# clean_but LINE: the one thing that is staged, changed or untracked.
clean_but()
{
	store status --porcelain >"$TRASH/status.out" && echo "$1" | test_cmp - "$TRASH/status.out"
}

# repeat CHAR N: N times CHAR, without a newline.
repeat()
{
	head -c "$2" /dev/zero | tr '\0' "$1"
}

test_expect_success 'two revisions with every kind of entry are committed' '
	mkdir r && cd r && store init . &&
	mkdir -p d/e/f empty-dir gone &&
	echo one >a && echo two >d/b && echo three >d/e/c && : >empty &&
	printf "#!/bin/sh\n" >run && chmod 755 run && echo text >was-run &&
	ln -s nowhere dangling && ln -s a link && ln -s d linkdir &&
	printf "odd\n" >"$(printf "new\nline")" && printf "odd\n" >"$(printf "not-utf8-\377")" &&
	echo file >file-to-dir && mkdir dir-to-file && echo x >dir-to-file/x && mkdir dir-to-file/y &&
	echo 1 >gone/1 && echo same >same &&
	head -c 9000000 /dev/urandom >large && store add -A && store commit -m one &&
	cp -a . ../one && rm -r ../one/.store &&
	echo ONE >a && chmod 755 was-run && chmod 644 run && rm -r gone empty-dir link &&
	rm file-to-dir && mkdir -p file-to-dir/deep && echo y >file-to-dir/deep/y &&
	rm -r dir-to-file && echo z >dir-to-file && rm linkdir && mkdir linkdir && echo q >linkdir/q &&
	rm dangling && echo real >dangling && mkdir -p new/dir && echo n >new/dir/n && mkdir new/none &&
	printf X | dd of=large bs=1 seek=5000000 conv=notrunc && store add -A && store commit -m two &&
	cp -a . ../two && rm -r ../two/.store
'

test_expect_success 'HEAD~1 comes back whole, HEAD is detached, and nothing differs' '
	cd r && store checkout HEAD~1 2>../err && test_grep "HEAD is now detached at" ../err && cd .. &&
	same one r && cd r && clean
'

test_expect_success 'the branch comes back whole, HEAD is on it, and nothing differs' '
	cd r && store checkout main 2>../err && test_grep "on branch .main." ../err && cd .. && same two r && cd r && clean
'

test_expect_success 'there and back leaves the repository in order, and a commit then is the one before' '
	cd r && store root >../before && store checkout HEAD~1 && store checkout main && store root >../after &&
	test_cmp ../before ../after && test_expect_code 1 store commit -m nothing && store fsck
'

test_expect_success 'the stage is that of the revision: a change on top of it commits to the expected tree' '
	cd r && store checkout HEAD~1 && echo more >>d/b && store add d/b && store commit -m three && cp -a . ../three &&
	rm -r ../three/.store && store checkout main && store checkout --to ../three-to HEAD@{1} && cd .. && same three three-to
'

test_expect_success '--to writes the tree and neither HEAD, stage, working tree nor a .store' '
	cd r && store status >../before && store log --oneline >>../before && ls -l >>../before &&
	store checkout --to ../to1 main~1 && store status >../after && store log --oneline >>../after && ls -l >>../after &&
	test_cmp ../before ../after && cd .. && same one to1 && test ! -e to1/.store
'

test_expect_success '--to needs a folder that is absent or empty, -f overwrites and deletes nothing' '
	cd r && test_expect_code 2 store checkout --to ../to1 main 2>../err && test_grep "not empty" ../err && cd .. && same one to1 &&
	cd r && mkdir ../to2 && store checkout --to ../to2 main && cd .. && same two to2 &&
	echo mine >to2/mine && echo changed >to2/a && cd r && store checkout -f --to ../to2 main && cd .. &&
	test_grep mine to2/mine && rm to2/mine && same two to2
'

test_expect_success '--to with paths writes these alone' '
	cd r && store checkout --to ../to3 main~1 -- d/e a && cd .. && list to3 >have &&
	printf "%s\n" "a f " "d d " "d/e d " "d/e/c f " "d/e/f d " >want && test_cmp want have && test_cmp one/a to3/a &&
	cd r && test_expect_code 2 store checkout --to ../to4 main -- gone/1 2>../err && test_grep "gone/1" ../err
'

test_expect_success '--to gives recorded modes and times, in place it is the umask and now' '
	mkdir m && cd m && store init . && echo x >f && chmod 640 f && touch -d 2001-02-03T04:05:06Z f &&
	mkdir d && echo y >d/g && chmod 700 d && touch -d 2002-02-03T04:05:06Z d/g && touch -d 2003-02-03T04:05:06Z d &&
	store add -A && store commit -m one && store checkout --to ../m-to HEAD &&
	stat -c "%a %Y %n" f d d/g >../want && (cd ../m-to && stat -c "%a %Y %n" f d d/g) >../have && test_cmp ../want ../have &&
	rm -r f d && store checkout -f HEAD && test "$(stat -c %a f)" = 644 && test "$(stat -c %a d)" = 755 &&
	test "$(stat -c %Y f)" -gt 1500000000 && (umask 077 && rm f && store checkout -f HEAD) && test "$(stat -c %a f)" = 600 &&
	rm -r f d && store checkout -f --preserve HEAD && stat -c "%a %Y %n" f d d/g >../have && test_cmp ../want ../have
'

test_expect_success '-b makes the branch at the revision and goes onto it' '
	cd r && store checkout main && store checkout -b side HEAD~1 2>../err && test_grep "new branch .side." ../err && cd .. && same one r &&
	cd r && clean && echo s >s && store add s && store commit -m side && store checkout main && cd .. && same two r &&
	cd r && store checkout side && test -f s && store checkout main && test ! -e s
'

test_expect_success '-b of a branch that is there, or of no legal name, is refused' '
	cd r && test_expect_code 2 store checkout -b side 2>../err && test_grep "exists already" ../err &&
	test_expect_code 2 store checkout -b "a..b" 2>../err && test_grep "a\.\.b" ../err
'

test_expect_success '-b before the first commit names the branch to come' '
	mkdir fresh && cd fresh && store init . && store checkout -b first && echo x >x && store add x && store commit -m x >../out &&
	test_grep "^\[first" ../out
'

test_expect_success '-b here keeps what is changed and what is staged' '
	cd r && echo changed >>same && echo staged >staged && store add staged && store status --porcelain >../before &&
	store checkout -b carry && store status --porcelain >../after && test_cmp ../before ../after && test_grep "^A  staged" ../after &&
	store checkout HEAD~1 && store status --porcelain >../after && test_cmp ../before ../after &&
	store checkout main && store status --porcelain >../after && test_cmp ../before ../after &&
	store checkout -f main && cd .. && same two r && cd r && clean
'

test_expect_success 'paths come from the revision into stage and tree, and HEAD stays' '
	cd r && store checkout main && store checkout HEAD~1 -- a gone d 2>../err && cmp a ../one/a && cmp gone/1 ../one/gone/1 &&
	store status --porcelain >../have && printf "%s\n" "M  a" "A  gone/1" >../want && sed "/gone.$/d" ../have >../have2 &&
	test_cmp ../want ../have2 && store checkout -f main && clean
'

test_expect_success 'a path that gives way to a directory, and the other way round' '
	cd r && store checkout HEAD~1 -- file-to-dir dir-to-file && test -f file-to-dir && test -f dir-to-file/x &&
	store checkout -f main -- file-to-dir dir-to-file && test -f file-to-dir/deep/y && test -f dir-to-file && clean
'

test_expect_success '-f brings back what was deleted and changed, and keeps what is not tracked' '
	cd r && rm -r a d new && echo bad >same && echo mine >mine && chmod 755 was-run && store add -A -n && store checkout -f main &&
	test_grep mine mine && rm mine && cd .. && same two r && cd r && clean
'

test_expect_success 'what is not changed is not written again' '
	cd r && stat -c "%i %Z" same large >../before && store checkout HEAD~1 && store checkout main && stat -c "%i %Z" same >../after &&
	head -n 1 ../before >../want && test_cmp ../want ../after && stat -c "%i %Z" a d/b >../before && store checkout -f main 2>../err &&
	stat -c "%i %Z" a d/b >../after && test_cmp ../before ../after && test_grep ": 0 written" ../err
'

test_expect_success 'one, two and seven threads write the same tree' '
	cd r && for n in 1 2 7
	do
		store --threads $n checkout --to ../threads$n main || return 1
	done && cd .. && same threads1 threads2 && same threads1 threads7 && same threads1 two
'

test_expect_success 'a sparse file of 10 GB comes back within seconds, sparse, and with its data in place' '
	mkdir sparse && cd sparse && store init . && truncate -s 10G s && printf middle | dd of=s bs=1 seek=5000000000 conv=notrunc &&
	printf end | dd of=s bs=1 seek=10737418237 conv=notrunc && store add s && store commit -m sparse && mv s ../s.orig && begin=$(date +%s) &&
	store checkout -f HEAD && store checkout --to ../sparse-to HEAD && test $(($(date +%s) - begin)) -le 10 &&
	for f in s ../sparse-to/s
	do
		test "$(stat -c %s $f)" = 10737418240 && test "$(stat -c %b $f)" -lt 20000 &&
			test "$(dd if=$f bs=1 skip=5000000000 count=6)" = middle && test "$(dd if=$f bs=1 skip=10737418237)" = end || return 1
	done && rm ../s.orig
'

test_expect_success 'a file of many holes and of repeated chunks is what it was' '
	mkdir holes && cd holes && store init . && truncate -s 64M f && for i in 0 7 8 20 63
	do
		head -c 300000 /dev/urandom | dd of=f bs=1M seek=$i conv=notrunc || return 1
	done && head -c 65536 /dev/urandom >p && for i in 1 2 3 4 5 6 7 8; do cat p p p p p p p p p p p p p p p p; done >periodic &&
	repeat x 12000000 >xs && head -c 5000000 /dev/zero >zeros && store add -A && store commit -m holes &&
	store checkout --to ../holes-to HEAD && cd .. && same holes holes-to && test "$(stat -c %b holes-to/zeros)" -lt 100
'

test_expect_success 'paths of 3,000 bytes' '
	mkdir long && cd long && store init . && part=$(repeat d 200) && python3 -c "
import os
for name, depth in [(\"d\" * 200, 15), (\"many\", 1), (\"d\", 500)]:
    if name != \"d\":
        os.chdir(\"$PWD\")
    for n in range(depth):
        os.mkdir(name)
        os.chdir(name)
    if name != \"many\":
        open(\"file\", \"w\").write(\"deep\\n\")" &&
	store add -A && store commit -m long && find . -path ./.store -prune -o -print | sort >../want && test_line_count -eq 519 ../want &&
	rm -r $part many && store checkout -f HEAD && find . -path ./.store -prune -o -print | sort >../have && test_cmp ../want ../have &&
	clean && store checkout --to ../long-to HEAD && (cd ../long-to && find . -print | sort >../have) && test_cmp ../want ../have
'

# The stage of a checkout is built in parts; of 1000 rows here, so that 1,200 files are more than one.  Parts of full size come below.
STORE_TEST_PART=1000 && export STORE_TEST_PART
test_expect_success 'a directory with 1,200 files, and its going away' '
	mkdir wide && cd wide && store init . && echo x >x && store add -A && store commit -m small && mkdir w &&
	seq 1200 | (cd w && split -l 1 -a 4 - f) && store add -A && store commit -m wide && store root >../want &&
	store checkout HEAD~1 && test ! -e w && clean && store checkout main 2>../err && test_grep ": 1200 written" ../err && clean &&
	store root >../have && test_cmp ../want ../have && cat w/* >../have && seq 1200 >../want && test_cmp ../want ../have &&
	echo 1 >w/fnew && store add w && store commit -m more && store fsck && store checkout HEAD~1 && clean
'

test_expect_success 'what is staged and stays over a checkout of many files also outlives a rebuild' '
	cd wide && store checkout HEAD~1 && echo kept >kept && store add kept && store checkout main && store status --porcelain >../want &&
	test_grep "^A  kept" ../want && store fsck --rebuild && store status --porcelain >../have && test_cmp ../want ../have
'

unset STORE_TEST_PART

# Together their paths are longer than any object may be.
test_expect_success 'many changes of long paths, staged and checked out, are recorded whole' '
	mkdir lengthy && cd lengthy && store init . && dir=$(repeat d 240) && dir=$dir/$dir/$dir/$dir/$dir && dir=$dir/$dir/$dir && mkdir -p "$dir" &&
	(cd "$dir" && seq 2620 | split -l 1 -a 3 - f) && store add -A && store commit -m one && (cd "$dir" && seq 5001 7620 | split -l 1 -a 3 - f) &&
	store add -A && store commit -m two && store checkout HEAD~1 2>../err && test_grep ": 2620 written" ../err && clean &&
	store fsck --rebuild && clean && echo 2 | test_cmp - "$dir/faab"
'

test_expect_success 'attributes alone that differ go with the revision: a commit after the switch records those of its own' '
	mkdir attrs && cd attrs && store init . && mkdir -p d/e && echo 1 >d/e/f && echo 2 >g && chmod 600 d/e/f && touch -d 2001-01-01T00:00:00Z d/e/f g &&
	store add -A && store commit -m one && store checkout -b old && store checkout main && chmod 640 d/e/f && touch -d 2002-02-02T00:00:00Z d/e/f g &&
	chmod 750 d/e && echo 3 >h && store add -A && store commit -m two && store checkout old && clean && echo new >i && store add i && clean_but "A  i" && store commit -m three &&
	store checkout --to ../attrs-to HEAD && (cd ../attrs-to && stat -c "%a %Y %n" d/e/f g d/e) >../have &&
	printf "%s\n" "600 978307200 d/e/f" "644 978307200 g" "755 $(stat -c %Y ../attrs-to/d/e) d/e" >../want && test_cmp ../want ../have &&
	store checkout main && clean && echo more >j && store add j && store commit -m four && store checkout --to ../attrs-to2 HEAD &&
	(cd ../attrs-to2 && stat -c "%a %Y %n" d/e/f g) >../have && printf "%s\n" "640 1012608000 d/e/f" "644 1012608000 g" >../want && test_cmp ../want ../have &&
	test "$(stat -c %a ../attrs-to2/d/e)" = 750 && store fsck && store fsck --rebuild && clean
'

# of_top [MODE]: what a commit would record of the top directory, now and after a rebuild.  The copies in which that was done are
# read by tops_are_so, all at once.  Where the program is slow one of the two in turn: each mode has its now and its rebuild over the
# calls.
tops=0 hows='now rebuilt'
[ -z "${STORE_TEST_LIGHT-}" ] || hows=rebuilt
of_top()
{
	case $hows in now) hows=rebuilt ;; rebuilt) hows=now ;; esac
	for how in $hows
	do
		tops=$((tops + 1)) && copy=$TRASH/tops/$tops-${1-none} && { test -d "$TRASH/tops" || mkdir "$TRASH/tops"; } && cp -a . "$copy" &&
			{ test "$how" = now || store -C "$copy" fsck --rebuild; } && test_expect_code 1 store -C "$copy" commit -m none &&
			store -C "$copy" fsck && store -C "$copy" commit --allow-empty -m top || return 1
	done
}
tops_are_so()
{
	test "$tops" -gt 0 && tops=0 && python3 - "$SRC_ROOT/t/second-reader" "$TRASH/tops" <<-\EOT && rm -r "$TRASH/tops"
	import importlib.machinery, importlib.util, os, sys
	sys.dont_write_bytecode = True
	loader = importlib.machinery.SourceFileLoader("second_reader", sys.argv[1])
	reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
	loader.exec_module(reader)
	bad = 0
	for name in os.listdir(sys.argv[2]):
	    store, rows = reader.Store(os.path.join(sys.argv[2], name)), []
	    meta = store.commit(store.resolve("HEAD")[1])[2]
	    if meta:
	        store.attributes(meta[0], meta[1], True, b"", rows)
	    modes = ["%04o" % times[0] for path, times, _, _ in rows if path == b"" and times]
	    if modes != [m for m in [name.split("-")[1]] if m != "none"]:
	        bad = 1
	        print(name, modes)
	sys.exit(bad)
	EOT
}

# From each to each other.
revs='one two none two none one'
[ -z "${STORE_TEST_LIGHT-}" ] || revs='one none two'
test_expect_success 'the stage after a checkout has the attributes of the top directory, too, and a rebuild says the same' '
	mkdir top && cd top && store init . && echo 0 >f && store add f && store commit -m none && store checkout -b none && store checkout -b one &&
	chmod 750 . && echo 1 >f && store add -A && store commit -m one && store checkout -b two && chmod 711 . && echo 2 >f && store add -A &&
	store commit -m two && for force in "" -f
	do
		for rev in $revs
		do
			store checkout $force $rev && case $rev in one) of_top 0750 ;; two) of_top 0711 ;; none) of_top ;; esac || return 1
		done
	done && tops_are_so
'

# In parts of 50 rows that is much.
STORE_TEST_PART=50 && export STORE_TEST_PART
test_expect_success 'the attributes of the top directory also go with a revision that changes much' '
	cd top && store checkout -f two && store checkout -b much && chmod 700 . && mkdir d && (cd d && seq 60 | split -l 1 -a 4 - f) && store add -A && store commit -m much &&
	of_top 0700 && store checkout one && of_top 0750 && store checkout much && of_top 0700 && store checkout none && of_top &&
	store checkout much && of_top 0700 && store checkout -f two && of_top 0711 && store checkout -f much && of_top 0700 && tops_are_so
'

test_expect_success 'attributes of the top directory that were staged stay over both, and -f and a named . bring the recorded ones' '
	cd top && store checkout -f two && chmod 705 . && store add . && store checkout one && store status --porcelain >../have &&
	echo "M  ./" | test_cmp - ../have && store fsck --rebuild && store status --porcelain >../have && echo "M  ./" | test_cmp - ../have &&
	store checkout much && store status --porcelain >../have && echo "M  ./" | test_cmp - ../have && store fsck --rebuild && store fsck &&
	store status --porcelain >../have && echo "M  ./" | test_cmp - ../have && store checkout -f much && of_top 0700 && store add . &&
	store checkout HEAD -- . && of_top 0700 && tops_are_so
'

unset STORE_TEST_PART

test_expect_success 'a mode that was staged stays over a switch between other recorded ones' '
	cd attrs && store checkout -f main && chmod 711 g && store add g && store checkout old && store status --porcelain >../have &&
	echo "M  g" | test_cmp - ../have && store checkout -f main && clean
'

# make_many N M: two revisions that differ in N + M files.
make_many()
{
	store init . && echo x >x && echo 1 >gone && store add -A && store commit -m small && store checkout -b small && store checkout main &&
		rm gone && mkdir -p d/e && (cd d && seq "$1" | split -l 1 -a 4 - f) && (cd d/e && seq "$2" | split -l 1 -a 4 - f) && store add -A && store commit -m many
}

test_expect_success 'the stage of many changes is built in parts, and only put in place by the last' '
	mkdir most && cd most && make_many 5000 1000 &&
	store root >../want && store checkout small && clean && test ! -e d && test_grep 1 gone && store --stats checkout main 2>../err &&
	test "$(sed -n "s/^publications: //p" ../err)" -ge 6 && clean && store root >../have && test_cmp ../want ../have && store fsck &&
	strace -f --seccomp-bpf -e trace=openat -o ../trace store status && ! grep "d/e\|faaa" ../trace && store fsck --rebuild && clean && store add -A -n && clean
'

STORE_TEST_PART=10 && export STORE_TEST_PART
# With parts of ten rows: 60 files of 600 are less than every eighth, and more than four parts.
test_expect_success 'however large the tree is, rows of four parts go at once, and no more' '
	mkdir bounded && cd bounded && store init -q . && python3 -c "
import os
for i in range(600):
    os.makedirs(f\"d{i // 100}\", exist_ok=True)
    open(f\"d{i // 100}/f{i}\", \"w\").write(\"1\")" && store add -A -q && store commit -q -m one && seq 1 20 599 >thirty && seq 2 10 599 >sixty && for n in thirty sixty; do
		while read -r i; do echo 2 >d$((i / 100))/f$i; done <$n && store add -A -q && store commit -q -m $n || return 1
	done && echo staged >new && store add new && store checkout -q HEAD~1 && store --stats checkout -q main~2 2>../err &&
	test "$(sed -n "s/^publications: //p" ../err)" -eq 1 && store checkout -q main~1 && store --stats checkout -q main 2>../err &&
	test "$(sed -n "s/^publications: //p" ../err)" -gt 60 && store status --porcelain >../have && echo "A  new" | test_cmp - ../have && store fsck -q &&
	store fsck --rebuild && store status --porcelain >../have && echo "A  new" | test_cmp - ../have
'
unset STORE_TEST_PART

# From here on a part has 100 rows, so that 600 files are many.
STORE_TEST_PART=100 && export STORE_TEST_PART
test_expect_success 'the same in parts of 100' '
	rm -rf most && mkdir many && cd many && make_many 500 100 && store root >../want && store checkout small && clean && store --stats checkout main 2>../err &&
	test "$(sed -n "s/^publications: //p" ../err)" -ge 6 && clean && store root >../have && test_cmp ../want ../have && store fsck
'

# in_many [DIR]: at the small one of these revisions, with content and a mode staged beside it.
in_many()
{
	cd "$TRASH/${1-many}" && { store checkout -q -f small || store checkout -q -f main; } && store checkout -q -f small && rm -f new && echo new >new &&
		store add new && chmod 755 x && store add x && store status --porcelain >../staged && test_grep "^A  new" ../staged && test_grep "x$" ../staged
}

test_expect_success 'what is staged stays over it, content and mode, and a rebuild says the same' '
	in_many && store checkout main && store status --porcelain >../have && test_cmp ../staged ../have && store fsck --rebuild &&
	store status --porcelain >../have && test_cmp ../staged ../have && store fsck && store checkout -b with-it && store commit -m kept &&
	store ls >../out && test_grep "new$" ../out && test_grep "^d/$" ../out && clean && store fsck
'

# Here each operation is a record of its own.
test_expect_success 'what is staged and stays is recorded in as many records as it takes' '
	in_many && seq 30 | split -l 1 - staged && store add staged?? && store status --porcelain >../want && : >../fired &&
	STORE_FAULT_LOG=$TRASH/fired STORE_FAULT=writer.record:1+:EIO store checkout main && test "$(grep -c writer.record ../fired)" -ge 30 &&
	store status --porcelain >../have && test_cmp ../want ../have && store fsck && store fsck --rebuild && store status --porcelain >../have &&
	test_cmp ../want ../have && "$SRC_ROOT/t/second-reader" . verify && store checkout -f main && rm -f staged??
'

# beside N: a checkout of N changes and some more over everything that can be staged beside them; into N.status and N.attributes
# what stays, N.status-2 and N.attributes-2 after a rebuild.
beside()
{
	rm -rf "$TRASH/beside" && mkdir "$TRASH/beside" && cd "$TRASH/beside" && store init . && mkdir -p g h/i e both && echo x >x && echo g >g/g && echo j >h/i/j &&
		echo y >y && echo z >e/z && echo k >k && echo w >w && echo b >both/b && chmod 755 both e h && store add -A && store commit -m small && store checkout -b small &&
		store checkout -b many && echo X >x && rm -r g h && echo g >g && echo Z >e/z && echo W >w && echo B >both/b && chmod 700 both && mkdir d &&
		(cd d && seq "$1" | split -l 1 -a 4 - f) && store add -A && store commit -m many && store checkout small && clean &&
		touch -d 2001-01-01T00:00:00Z x g both && chmod 711 y && chmod 750 e && chmod 700 h h/i && echo new >h/i/new && rm k && mkdir -p n/n && echo n >n/n/n && echo W >w &&
		touch -d 2002-02-02T00:00:00Z h/i/new n/n/n y w n n/n e h h/i . && store add -A && store checkout many && for n in "" -2
		do
			store status --porcelain >"../$1.status$n" && store fsck && rm -rf ../copy && cp -a . ../copy && (cd ../copy && store commit -m kept &&
				"$SRC_ROOT/t/second-reader" . attributes | grep -v " \(.*/f....\|d\|both/b\|x\|g\|e/z\)$" >"../$1.attributes$n") && store fsck --rebuild || return 1
		done
}

# Of 10 changes the stage is written at once, of 120 in parts of 40.
STORE_TEST_PART=40
# A file that was touched and added has nothing staged but a time: no conflict, and no reason to keep its old content.
test_expect_success 'what was staged stays or gives way alike, however many changes come with it, and after a rebuild' '
	beside 10 && test_cmp ../10.status ../10.status-2 && test_cmp ../10.attributes ../10.attributes-2 && beside 120 &&
	test_cmp ../10.status ../120.status && test_cmp ../10.attributes ../120.attributes && test_cmp ../120.status ../120.status-2 &&
	test_cmp ../120.attributes ../120.attributes-2 && printf "%s\n" "M  e/" "A  h/i/new" "D  k" "A  n/n/n" "M  y" | test_cmp - ../10.status &&
	test_grep "^0750 .* e\$" ../10.attributes && test_grep "^0700 .* h\$" ../10.attributes && test_grep "^0700 .* h/i\$" ../10.attributes
'

# In parts of 25: as many of them, and a quarter of the files.
STORE_TEST_PART=25
test_expect_success 'killed while it is built nothing of it shows, not after a rebuild either, and the same command finishes' '
	mkdir few && cd few && make_many 125 25 && for n in $built
	do
		in_many few && { STORE_FAULT=checkout.fresh:$n:kill store checkout main || :; } && store ls -r : | sed "/\/\$/d" >../names && printf "gone\nnew\nx\n" | test_cmp - ../names &&
			store fsck && rm -rf ../copy && cp -a . ../copy && (cd ../copy && store fsck --rebuild && store ls -r : | sed "/\/\$/d" >../names) &&
			printf "gone\nnew\nx\n" | test_cmp - ../names && store checkout main && store status --porcelain >../have &&
			test_cmp ../staged ../have && store fsck || return 1
	done
'

STORE_TEST_PART=100
test_expect_success 'what fell out of use is swept: there and back again and again takes no more room' '
	cd many && store checkout -f small && store checkout -f main && store checkout small && first=$(stat -c %s .store/db/data.mdb) && for i in 1 2 3
	do
		store checkout main && store checkout small || return 1
	done && last=$(stat -c %s .store/db/data.mdb) && echo "$first $last" && test "$last" -le $((first * 3 / 2))
'

unset STORE_TEST_PART

# back: to main, whatever a killed checkout left; a directory of files that nobody tracks yet does not go in one step.
back()
{
	store checkout -f main~1 && store checkout -f main
}

# killed_in_r: a checkout from main to main~1 dies with a temporary in the top directory.
killed_in_r()
{
	cd "$TRASH/r" && back && { STORE_FAULT=checkout.rename:1:kill store checkout main~1 || :; } &&
		find . -path ./.store -prune -o -name ".store-tmp-*" -print >../left && test -s ../left
}

test_expect_success 'what a killed checkout left is neither shown nor staged' '
	killed_in_r && store status --porcelain --ignored >../out && ! grep store-tmp ../out && store add -A -n >../out && ! grep store-tmp ../out &&
	find . -name ".store-tmp-*" >../left && test -s ../left && store add -A && store ls -r >../out && ! grep store-tmp ../out
'

test_expect_success 'add of its directory removes it' '
	killed_in_r && store add -A && find . -name ".store-tmp-*" >../left && test_must_be_empty ../left
'

test_expect_success 'so does a checkout that brings files to the same directory, and one of a named path' '
	killed_in_r && store checkout -f main~1 && find . -name ".store-tmp-*" >../left && test_must_be_empty ../left &&
	killed_in_r && store checkout main~1 -- a && find . -maxdepth 1 -name ".store-tmp-*" >../left && test_must_be_empty ../left && back
'

test_expect_success 'a name that is only like it is a name like any other' '
	cd r && back && echo mine >.store-tmp-mine && store status --porcelain >../out && test_grep "store-tmp-mine" ../out &&
	store add -A && store checkout main~1 && test_grep mine .store-tmp-mine && store checkout -f main && rm -f .store-tmp-mine
'

test_expect_success 'what a live checkout is writing is not removed' '
	cd r && run=c-0123456789abcdef0123456789abcdef && : >.store/tmp/$run && temp=.store-tmp-${run#c-}-0 && echo live >$temp &&
	{ hold .store/tmp/$run held 20 & pid=$!; } && test_when_finished "rm -f $TRASH/r/held $TRASH/r/$temp" && wait_for held &&
	store add -A && test_grep live $temp && store checkout main~1 && test_grep live $temp && rm held && wait $pid &&
	store checkout main && test ! -e $temp
'

# slow_to FOLDER: a checkout --to -f into it, in the tree live, that is stopped with a temporary in it; $pid.
slow_to()
{
	{ STORE_FAULT=checkout.rename:1+:10000ms store checkout -q --to "$1" -f HEAD & pid=$!; } &&
		until find "$1" -name ".store-tmp-*-*" >../left && test -s ../left; do sleep 0.05; done && kill -STOP "$pid" &&
		until grep -q "^State:.T" /proc/"$pid"/status; do sleep 0.01; done && find "$1" -name ".store-tmp-*-*" >../left && test -s ../left
}

ended_to()
{
	kill -KILL "$pid" && { wait "$pid" || :; }
}

test_expect_success 'nor is what a live checkout --to writes into a folder of the tree; what a dead one left there is' '
	mkdir -p live/d/d && cd live && store init && echo 1 >f && echo 1 >d/d/deep && store add -A && store commit -m one && mkdir -p out/d/d && echo 2 >out/d/d/deep &&
	slow_to out && store add -A && find out -name ".store-tmp-*-*" >../have && test_cmp ../left ../have && ended_to && store add -A &&
	find out -name ".store-tmp-*-*" >../left && test_must_be_empty ../left && slow_to out && ended_to && store checkout -q --to out -f HEAD &&
	find out -name ".store-tmp-*" >../left && test_must_be_empty ../left
'

test_expect_success 'killed at every fault point, the same command with --to finishes, without -f' '
	cd r && for point in checkout.mid checkout.write
	do
		for n in $kills
		do
			rm -rf ../again && { STORE_FAULT=$point:$n:kill store checkout --to ../again main || :; } &&
				store checkout --to ../again main && (cd .. && same two again) || return 1
		done
	done
'

test_expect_success 'an unfinished --to is ended by its own command alone' '
	cd r && rm -rf ../again && { STORE_FAULT=checkout.write:5:kill store checkout --to ../again main || :; } &&
	test_expect_code 2 store checkout --to ../again main~1 2>../err && test_grep "unfinished checkout of something else" ../err &&
	test_expect_code 2 store checkout --to ../again main -- a 2>../err && test_grep "unfinished" ../err && echo mine >../again/mine &&
	store checkout --to ../again main && test_grep mine ../again/mine && rm ../again/mine && (cd .. && same two again) &&
	test_expect_code 2 store checkout --to ../again main 2>../err && test_grep "not empty" ../err
'

test_expect_success 'two checkouts do not write into one folder at a time' '
	cd r && rm -rf ../again && mkdir ../again && : >../again/.store-tmp-to && { hold ../again/.store-tmp-to held 20 & pid=$!; } &&
	test_when_finished "rm -f $TRASH/r/held" && wait_for held && test_expect_code 5 store checkout --to ../again main 2>../err &&
	test_grep "another" ../err && rm held && wait $pid && store checkout --to ../again main && (cd .. && same two again)
'

test_expect_success 'an error in mid-checkout leaves a folder that the same command fills, and no folder where nothing was written' '
	cd r && rm -rf ../again && test_expect_code 2 env STORE_FAULT=checkout.write:5:ENOSPC store checkout --to ../again main &&
	store checkout --to ../again main && (cd .. && same two again) && rm -rf ../again &&
	test_expect_code 2 store checkout --to ../again main -- no-such && test ! -e ../again
'

test_expect_success 'killed at every fault point, the same command finishes and nothing is left behind' '
	for point in checkout.mid checkout.write checkout.rename
	do
		for n in $kills
		do
			cd "$TRASH/r" && store checkout -f main && { STORE_FAULT=$point:$n:kill store checkout main~1 || :; } &&
				store checkout main~1 && clean && cd .. && same one r && find r -name ".store-tmp-*" >left &&
				test_must_be_empty left && (cd r && store fsck) || return 1
		done
	done
'

test_expect_success 'an error at every fault point is told, changes no HEAD, and the same command finishes' '
	for point in checkout.mid checkout.write checkout.rename write
	do
		cd "$TRASH/r" && store checkout -f main && test_must_fail env STORE_FAULT=$point:1:ENOSPC store checkout main~1 2>../err &&
			test_grep "No space left" ../err && store log --oneline -n 1 >../out && test_grep " two$" ../out &&
			find . -name ".store-tmp-*" >../left && test_must_be_empty ../left && store checkout main~1 && clean && cd .. && same one r || return 1
	done
'

test_done
