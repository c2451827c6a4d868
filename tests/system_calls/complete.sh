#!/bin/sh
# complete.sh NM LIBRARY CALL...: every C library function that the library needs is one of the CALLs, which tests make fail,
# or one that cannot fail.
set -eu
nm=$1
library=$2
shift 2
# A seccomp filter may refuse timerfd_settime, but then always: the first one is tried where that does no harm (os/alarm.cpp).
# A failing ioctl is an answer: there is no terminal (unit/progress_bar_test.cpp).
# localtime_r says UTC where it finds no file, and gives up for years that no int holds (unit/machine_history_test.cpp).
# fputc and fwrite are {fmt}'s, in functions that print, which nothing here calls.
cannot_fail='_exit abort clock_gettime getrusage setsid fputs fprintf fflush free getpid islower tolower memchr memcmp memcpy memmove memset snprintf strcmp
strlen strtod lround strerror sigabbrev_np sigdescr_np sigemptyset sysconf sched_yield pthread_cond_clockwait pthread_mutex_clocklock pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock pthread_rwlock_rdlock pthread_rwlock_unlock pthread_rwlock_wrlock pthread_attr_destroy pthread_attr_getstack pthread_getattr_np gettid pthread_attr_init pthread_attr_setstacksize pthread_join pthread_self pthread_setcancelstate pthread_sigmask
stdout stderr exp getppid ftrylockfile funlockfile fflush_unlocked sigdelset sigismember getenv localeconv atexit dladdr1 raise sigaddset sigfillset strnlen dl_iterate_phdr strstr strtoll strtoull dlclose dlopen dlsym environ getauxval program_invocation_short_name
hwloc_bitmap_isset hwloc_get_nbobjs_by_depth hwloc_get_obj_by_depth hwloc_get_type_depth hwloc_topology_destroy
hwloc_get_type_or_below_depth hwloc_compare_types hwloc_get_depth_type ioctl llround localtime_r log1p sqrt strftime timerfd_settime fputc fwrite'
needed=$("$nm" -u "$library" 2>/dev/null | sed -n 's/^ *U \([a-z_][a-z0-9_]*\)$/\1/p' | grep -v '^__' | sort -u)
count=0
missing=
for name in $needed; do
  count=$((count + 1))
  case " $* $(echo $cannot_fail) " in
    *" $name "*) ;;
    *) missing="$missing $name" ;;
  esac
done
if [ $count -lt 20 ]; then
  echo "only $count functions found in $library: this test looks at the wrong thing"
  exit 1
fi
if [ -n "$missing" ]; then
  echo "never made to fail by a test:$missing"
  echo "wrap them in tests/CMakeLists.txt and tests/system_calls/failing.cpp, or say in complete.sh that they cannot fail"
  exit 1
fi
echo "$count functions, all of them wrapped or unable to fail"
