#!/bin/sh
# Killed at every fault point, each time it is passed: the next command works, what was acknowledged is there, nothing is left over.
test_on_disk=t
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# A kill takes nothing out of the cache of the system: what reached the disk is not asked here.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# survives STORY NAME COMMAND...: whichever passing of NAME kills COMMAND, the story ends well.
survives()
{
	survives_story=$1 survives_name=$2
	shift 2
	: >all-fired
	sample_passings "$survives_name"
	for survives_nth in $sample; do
		look_closely_in_turn
		copy_story "$survives_story" || return 1
		killed "$survives_name:$survives_nth" store -C r "$@"
		survives_rc=$?
		[ "$survives_rc" -ne 1 ] || break
		if ! { [ "$survives_rc" -eq 0 ] && { [ -n "$brief" ] || { is_sound_as_left r && keeps_one; }; } && ends_well; }; then
			echo "after $survives_name:$survives_nth of store $*" >&7
			return 1
		fi
	done
	brief=
	[ "$killed_code" -eq 0 ] || [ "$killed_code" -eq 137 ] || return 1
	has_fired "$survives_name:1:kill"
}

add_points='tmp.create pack.write pack.sync publish.rename publish.sync env.commit ingest.mid walk.dir'
commit_points='tmp.create pack.write pack.sync publish.rename publish.sync refslog.write refslog.sync env.commit'
test_expect_success 'setup: a story to interrupt, and how often each point is passed' '
	make_stories &&
	copy_story before-commit && count_passings "$commit_points" store -C r commit -q -m two && mv passings commit.passings &&
	copy_story before-add && count_passings "$add_points" store -C r add -q . && mv passings add.passings &&
	ends_well
'

for point in $add_points; do
	test_expect_success "an add killed at $point loses nothing" "
		cp add.passings passings &&
		survives before-add $point add .
	"
done

for point in $commit_points; do
	test_expect_success "a commit killed at $point loses nothing" "
		cp commit.passings passings &&
		survives before-commit $point commit -m two
	"
done

# Step 3 of commit is only apart from its deciding transaction when there are many dirty rows.
test_expect_success 'a commit killed at commit.settle is made, and what it left dirty hurts nobody' '
	copy_story before-add &&
	mkdir r/many &&
	(cd r/many && seq 1 4500 | xargs touch) &&
	store -C r add -q . &&
	killed commit.settle:1 store -C r commit -m two &&
	store -C r log --oneline >got &&
	test_line_count -eq 2 got &&
	store -C r status --porcelain >got &&
	test_must_be_empty got &&
	test_expect_code 1 store -C r commit -m again &&
	rm -r r/many &&
	ends_well
'

# Briefly: the next init ends it, and fsck finds nothing.
test_expect_success 'an init killed anywhere is ended by the next init' '
	test_when_finished "brief=" &&
	: >all-fired &&
	points="refslog.write refslog.sync env.commit fsync rename" &&
	count_passings "$points" store init counted &&
	for point in $points; do
		sample_passings $point &&
		for nth in $sample; do
			look_closely_in_turn &&
			rm -rf i &&
			killed $point:$nth store init i
			case $? in 1) break ;; 2) return 1 ;; esac
			store init i >out 2>&1 &&
			{ [ -n "$brief" ] || { echo x >i/x && store -C i add -q x && store -C i commit -q -m x; }; } &&
			is_whole i || return 1
		done &&
		has_fired $point:1:kill || return 1
	done
'

# Small chunks: a batch is 2,000 of them.
test_expect_success 'a killed add of a large file goes on inside it' '
	random_bytes 4 2000000 >noise &&
	store init -q --chunk-average 256 large &&
	cp noise large/file &&
	cp -a large whole &&
	store -C whole --stats add file 2>stats &&
	sed -n "s/^chunks: //p" stats >chunks-whole &&
	commit_after whole && json_text root "$json_line" && root=$json_value &&
	killed ingest.mid:2 store -C large add file &&
	store -C large --stats add file 2>stats &&
	sed -n "s/^chunks: //p" stats >chunks-rest &&
	echo "chunks: whole $(cat chunks-whole), the rest $(cat chunks-rest)" &&
	test "$(cat chunks-rest)" -gt 0 &&
	test $(($(cat chunks-rest) * 10)) -lt $(($(cat chunks-whole) * 8)) &&
	commit_after large && json_text root "$json_line" && test "$json_value" = "$root" &&
	store -C large cat file >got &&
	test_cmp large/file got &&
	is_whole large
'
quick=t

test_expect_success 'a saved place that names what is not there is not gone on from' '
	rm -rf large && store init -q --chunk-average 256 large && cp noise large/file &&
	killed ingest.mid:2 store -C large add file &&
	python3 -c "
data = bytearray(open(\"large/.store/db/data.mdb\", \"rb\").read())
at, found = data.find(b\"SB\\1\"), 0
while at >= 0:
    data[at + 12] ^= 1
    at, found = data.find(b\"SB\\1\", at + 1), found + 1
assert found > 0
open(\"large/.store/db/data.mdb\", \"r+b\").write(data)" &&
	store -C large --stats add file 2>stats && sed -n "s/^chunks: //p" stats >chunks-rest &&
	test_cmp chunks-whole chunks-rest &&
	store -C large commit -q -m whole >/dev/null && store -C large cat file >got && test_cmp large/file got && is_whole large
'

# The time of the first look decides: a time stamp that lay before it only by the second add may hide a change.
test_expect_success 'what was too young for the first add to trust is read again after the second' '
	rm -rf large && store init -q --chunk-average 256 large && cp noise large/file &&
	touch -d "+2 seconds" large/file &&
	killed ingest.mid:2 store -C large add file &&
	sleep 2.5 &&
	store -C large --stats add file 2>stats && sed -n "s/^chunks: //p" stats >chunks-rest &&
	test $(($(cat chunks-rest) * 10)) -lt $(($(cat chunks-whole) * 8)) &&
	store -C large --stats status 2>stats && test_grep "^opened: 1\$" stats &&
	store -C large --stats status 2>stats && test_grep "^opened: 0\$" stats
'

test_expect_success 'a killed add does not go on inside a file that changed since' '
	rm -rf large &&
	store init -q --chunk-average 256 large &&
	cp noise large/file &&
	killed ingest.mid:2 store -C large add file &&
	printf "changed" | dd of=large/file bs=1 seek=100 conv=notrunc 2>/dev/null &&
	store -C large add -q file &&
	store -C large cat :file >got &&
	test_cmp large/file got &&
	store -C large commit -q -m x >/dev/null &&
	is_whole large
'

test_done
