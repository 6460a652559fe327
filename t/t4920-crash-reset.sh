#!/bin/sh
# reset, restore, rm and mv killed at every fault point: the same command ends the work, and nothing is damaged.
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"
quick=t
nths=1

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

test_expect_success 'setup: a tree in which much differs' '
	store init -q --chunk-average 256 story && cd story && mkdir -p d/e gone && echo 1 >f && echo 1 >d/e/deep && echo 1 >gone/g && echo 1 >turns &&
	random_bytes 1 3000 >d/mid && store add -q . && store commit -q -m one && rm -r gone turns && mkdir turns && echo 2 >turns/in && echo 2 >f &&
	echo 2 >new && store add -q -A && store commit -q -m two && echo 3 >f && rm d/mid && store add -q d && echo u >untracked
'

# wanted_is DIR: what `same` compares with.
wanted_is()
{
	wanted=$1 && store -C "$1" ls -r : >wanted.ls && store -C "$1" status --porcelain >wanted.st
}

# same DIR: it holds the same files as the wanted one, and the same is staged.  Briefly nothing is asked of HEAD.
same()
{
	diff -r --no-dereference -x .store "$wanted" "$1" && store -C "$1" ls -r : >same.ls && test_cmp wanted.ls same.ls &&
		{ [ -n "$brief" ] || { store -C "$1" status --porcelain >same.st && test_cmp wanted.st same.st; }; }
}

# interrupted POINTS COMMAND...: killed at the first and the last passing of each of them (under the sanitizers at the first), then run
# again, it ends as if it had not been.  All is asked after each third kill; but HEAD always where it moves.
interrupted()
{
	points=$1 && shift && copy_story story && count_passings "$points" store -C r "$@" >/dev/null && rm -rf want && mv r want && wanted_is want && hits=0 &&
		for point in $points; do
			: >all-fired
			sample_passings "$point"
			[ -z "${STORE_TEST_LIGHT-}" ] || sample=1
			for nth in $sample; do
				copy_story story || return 1
				killed "$point:$nth" store -C r "$@"
				case $? in
				1) break ;;
				2) return 1 ;;
				esac
				brief=t
				[ $((hits % 3)) -ne 0 ] || brief=
				hits=$((hits + 1))
				{ [ -n "$brief" ] || is_sound_as_left r; } && { [ "$1" != reset ] || brief=; } &&
					{ store -C r "$@" >out 2>err || { [ "$1" = mv ] && test_grep "is not there" err; } ||
						{ [ "$1" = rm ] && test_grep "not tracked" err; }; } && same r || {
					echo "after $point:$nth" && cat err
					return 1
				} >&7
			done
			brief=
			has_fired "$point:1:kill" || return 1
		done && echo "$hits kills" && test "$hits" -ge 3 && is_whole r
}

test_expect_success 'reset --hard' '
	interrupted "checkout.rename checkout.remove publish.rename env.commit" reset -q --hard "$(store -C story log -n 1 --oneline HEAD~1 | cut -d" " -f1)"
'

test_expect_success 'reset of the stage, and of paths of it' '
	interrupted "pack.sync publish.rename refslog.sync env.commit" reset -q "$(store -C story log -n 1 --oneline HEAD~1 | cut -d" " -f1)" &&
	interrupted "pack.sync publish.rename env.commit" reset -q HEAD~1 -- d turns
'

test_expect_success 'restore' '
	interrupted "checkout.rename checkout.remove checkout.mid env.commit" restore -s HEAD~1 . &&
	interrupted "checkout.rename checkout.remove publish.rename env.commit" restore -s HEAD~1 -S -W .
'

test_expect_success 'rm' '
	interrupted "checkout.remove pack.sync publish.rename env.commit" rm -q -r -f d new turns
'

test_expect_success 'mv of files into a directory, and of a directory to another name' '
	interrupted "mv.rename mv.renamed pack.sync publish.rename env.commit" mv f new d &&
	interrupted "mv.rename mv.renamed pack.sync publish.rename env.commit" mv d other
'

# Of the second story the source's attributes tell nothing, so its content does; of the third neither does.
test_expect_success 'mv -f over a tracked file, clean, written anew, and changed since it was staged' '
	cp -a story keep && interrupted "mv.rename mv.renamed pack.sync publish.rename env.commit" mv -f new d/e/deep && (cd story && cp new x && mv x new) &&
	interrupted "mv.rename mv.renamed publish.rename" mv -f new d/e/deep && echo more >>story/new && copy_story story && killed mv.renamed:1 store -C r mv -f new d/e/deep &&
	test_expect_code 2 store -C r mv -f new d/e/deep 2>err && test_line_count -eq 1 err && test_grep "store add. of both ends it" err &&
	store -C r status --porcelain >got && store -C r add -q new d/e/deep && store -C r status --porcelain >got && test_grep "^M  d/e/deep" got && test_grep "^D  new" got &&
	is_whole r && rm -rf story && mv keep story
'

test_expect_success 'after a mv that was killed between disk and stage, add of both names ends it as well' '
	copy_story story && killed mv.renamed:1 store -C r mv d other && store -C r add -q d other && store -C r ls -r : >got && copy_story story && store -C r mv d other &&
	store -C r ls -r : >want.ls && test_cmp want.ls got
'

# With parts of two rows a stage of few files is built aside, as one of very many is.
test_expect_success 'a reset of a great part of the tree is built aside, and a rebuild gives what it gave' '
	rm -rf want && copy_story story && store -C r reset -q HEAD~1 && mv r want &&
	wanted_is want && copy_story story && STORE_TEST_PART=2 store -C r reset -q HEAD~1 && same r && rm -r r/.store/db && store -C r fsck --rebuild >/dev/null &&
	same r && is_whole r
'

test_done
