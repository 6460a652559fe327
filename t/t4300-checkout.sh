#!/bin/sh
# Checkout: what was committed comes back bit for bit, into the working tree or a folder of its own.
. "$(dirname "$0")/test-lib.sh"

# list DIR: every path below it with kind, permissions of files and target of links.
list()
{
	(cd "$1" && find . -path ./.store -prune -o -mindepth 1 -printf '%P %y %l\n' | LC_ALL=C sort)
}

# same DIR DIR: two trees are equal in content, kind and executable bit.
same()
{
	list "$1" >left.list && list "$2" >right.list &&
		test_cmp left.list right.list &&
		diff -r --no-dereference -x .store "$1" "$2" &&
		(cd "$1" && find . -path ./.store -prune -o -type f -perm -100 -print | sort) >left.list &&
		(cd "$2" && find . -path ./.store -prune -o -type f -perm -100 -print | sort) >right.list &&
		test_cmp left.list right.list
}

# clean: nothing is staged, changed or untracked.
clean()
{
	store status --porcelain >"$TRASH/status.out" && test_must_be_empty "$TRASH/status.out"
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
	store checkout main -- file-to-dir dir-to-file && test -f file-to-dir/deep/y && test -f dir-to-file && clean
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
	mkdir long && cd long && store init . && part=$(repeat d 200) && (i=0 && while [ $i -lt 15 ]
	do
		mkdir $part && cd $part || exit 1
		i=$((i + 1))
	done && echo deep >file) && mkdir many && (cd many && i=0 && while [ $i -lt 500 ]
	do
		mkdir d && cd d || exit 1
		i=$((i + 1))
	done && echo deep >file) && store add -A && store commit -m long && find . -path ./.store -prune -o -print | sort >../want &&
	rm -r $part many && store checkout -f HEAD && find . -path ./.store -prune -o -print | sort >../have && test_cmp ../want ../have &&
	clean && store checkout --to ../long-to HEAD && (cd ../long-to && find . -print | sort >../have) && sed "/^\.\/\.store/d" ../want >../want2 &&
	test_cmp ../want2 ../have
'

test_expect_success 'a directory with 20,000 files, and its going away' '
	mkdir wide && cd wide && store init . && echo x >x && store add -A && store commit -m small && mkdir w &&
	seq 20000 | (cd w && split -l 1 -a 4 - f) && store add -A && store commit -m wide && store root >../want &&
	store checkout HEAD~1 && test ! -e w && clean && store checkout main 2>../err && test_grep ": 20000 written" ../err && clean &&
	store root >../have && test_cmp ../want ../have && cat w/* >../have && seq 20000 >../want && test_cmp ../want ../have &&
	echo 1 >w/fnew && store add w && store commit -m more && store fsck && store checkout HEAD~1 && clean
'

test_expect_success 'what is staged and stays over a checkout of many files also outlives a rebuild' '
	cd wide && store checkout HEAD~1 && echo kept >kept && store add kept && store checkout main && store status --porcelain >../want &&
	test_grep "^A  kept" ../want && store fsck --rebuild && store status --porcelain >../have && test_cmp ../want ../have
'

test_expect_success 'killed at every fault point, the same command finishes and nothing is left behind' '
	for point in checkout.mid checkout.write checkout.rename
	do
		for n in 1 2 5 9
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
