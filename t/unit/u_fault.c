/* The fault points themselves: a plan fires where it says, once, in any thread, and says so. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

static int no_faults(void **state)
{
	(void)state;
	return fault_load("");
}

static void test_fault__fires_at_the_nth_hit_of_its_name_only(void **state)
{
	(void)state;
	assert_int_equal(fault_load("write:3:ENOSPC,fsync:1:EIO"), 0);
	for (int i = 1; i <= 6; i++) {
		errno = 0;
		assert_int_equal(FAULT("write"), i == 3 ? ENOSPC : 0);
		assert_int_equal(errno, i == 3 ? ENOSPC : 0);
		assert_int_equal(FAULT("writes"), 0);
		assert_int_equal(FAULT("wri"), 0);
	}
	assert_int_equal(FAULT("fsync"), EIO);
	assert_int_equal(FAULT("fsync"), 0);
}

static void test_fault__entries_of_one_name_count_the_same_hits(void **state)
{
	(void)state;
	assert_int_equal(fault_load("read:2:EINTR,read:3:EIO,read:3:ENOSPC"), 0);
	assert_int_equal(FAULT("read"), 0);
	assert_int_equal(FAULT("read"), EINTR);
	assert_int_equal(FAULT("read"), EIO);
	assert_int_equal(FAULT("read"), 0);
}

static void test_fault__plus_means_from_then_on(void **state)
{
	(void)state;
	assert_int_equal(fault_load("write:2+:EIO"), 0);
	assert_int_equal(FAULT("write"), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(FAULT("write"), EIO);
}

static void test_fault__a_time_holds_up_and_lets_go_on(void **state)
{
	struct timespec from, to;

	(void)state;
	assert_int_equal(fault_load("read:2:30ms"), 0);
	assert_int_equal(FAULT("read"), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(FAULT("read"), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 29);
	assert_int_equal(fault_load("read:1:0ms"), -1);
	assert_int_equal(fault_load("read:1:ms"), -1);
	assert_int_equal(fault_load("read:1:10001ms"), -1);
	assert_int_equal(fault_load("read:1:1sms"), -1);
}

static void test_fault__plans_that_cannot_be_read_are_refused(void **state)
{
	static const char *const bad[] = { "write", "write:1", "write:0:EIO", "write:x:EIO",
		"write:1:EWHAT", "write:1:", ":1:EIO", "write:-1:EIO", "write:1+", "a:1:EIO,b",
		"write:1:EIO:", "write:1:EIOO", "write:1,x:2:EIO",
		"write:99999999999999999999999:EIO", "," };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fault_load(bad[i]) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(FAULT("write"), 0);
	}
}

#define THREADS 4
#define HITS 20000

static atomic_int fired;

static void *hit_many(void *arg)
{
	for (int i = 0; i < HITS; i++)
		if (FAULT("spot") != 0)
			atomic_fetch_add(&fired, 1);
	return arg;
}

static void test_fault__exactly_one_of_many_threads_meets_it(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&fired, 0);
	assert_int_equal(fault_load("spot:70000:EIO"), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hit_many, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&fired), 1);
}

static void test_fault__kill_ends_the_process_at_once(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fault_load("spot:2:kill");
		if (FAULT("spot") != 0)
			_exit(1);
		FAULT("spot");
		_exit(2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_fault__log_names_what_fired(void **state)
{
	char path[] = "/tmp/u_fault.XXXXXX", text[100] = "";
	const int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	setenv("STORE_FAULT_LOG", path, 1);
	fault_load("spot:2:EIO");
	FAULT("spot");
	assert_int_equal(read(fd, text, sizeof(text) - 1), 0);
	FAULT("spot");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "spot:2:EIO\n");
	unsetenv("STORE_FAULT_LOG");
	close(fd);
	unlink(path);
}

/* Run this program again with STORE_FAULT set to spec; returns the wait status. */
static int run_with(const char *program, const char *spec)
{
	int status;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		setenv("STORE_FAULT", spec, 1);
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		execl(program, program, "hit", (char *)NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_fault__environment_is_read_and_a_slip_in_it_aborts(void **state)
{
	const char *program = *state;
	int status = run_with(program, "spot:1:EIO");

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EIO);
	status = run_with(program, "spot:2:EIO");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = run_with(program, "spot=1=EIO");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_fault__fires_at_the_nth_hit_of_its_name_only,
			no_faults),
		cmocka_unit_test_teardown(test_fault__entries_of_one_name_count_the_same_hits,
			no_faults),
		cmocka_unit_test_teardown(test_fault__plus_means_from_then_on, no_faults),
		cmocka_unit_test_teardown(test_fault__plans_that_cannot_be_read_are_refused,
			no_faults),
		cmocka_unit_test_teardown(test_fault__exactly_one_of_many_threads_meets_it,
			no_faults),
		cmocka_unit_test(test_fault__a_time_holds_up_and_lets_go_on),
		cmocka_unit_test(test_fault__kill_ends_the_process_at_once),
		cmocka_unit_test_teardown(test_fault__log_names_what_fired, no_faults),
		cmocka_unit_test_prestate(test_fault__environment_is_read_and_a_slip_in_it_aborts,
			argv[0]),
	};

	if (argc > 1)
		return FAULT("spot");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
