/*
 * Fault points: named places where a test build can fail or die.  STORE_FAULT=name:nth:action[,...]
 * with action kill, stop (by SIGSTOP; on SIGCONT it goes on as if nothing was), a time as 20ms
 * (after which it goes on, too), or an errno name
 * (EIO, ENOSPC, EINTR, ENOMEM, ...); nth counts from 1, "nth+" means from the nth on.
 * STORE_FAULT_LOG=FILE gets a line "name:nth:action" for each that fired. A STORE_FAULT that cannot
 * be read aborts.  A release build (without -DSTORE_FAULTS) has neither the names nor the code.
 * Named in base: open openat2 read write fsync rename close malloc thread.
 */
#ifndef STORE_BASE_FAULT_H
#define STORE_BASE_FAULT_H

#ifdef STORE_FAULTS
/*
 * 0 to go on; otherwise errno is set to the value returned.  Thread-safe.  "kill" ends the process
 * by SIGKILL.
 */
int fault_hit(const char *name);
#define FAULT(name) fault_hit(name)
/*
 * For unit tests: spec in place of STORE_FAULT, all counts from 0; "" for none.  Not while other
 * threads run.  Returns 0, or -1 when spec cannot be read (then there are no faults).
 */
int fault_load(const char *spec);
#else
#define FAULT(name) 0
#endif

#endif
