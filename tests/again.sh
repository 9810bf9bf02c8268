#!/bin/sh
# Runs a part of the suite ("$@" is the pytest command). What failed beside other tests is run once more, alone: what fails
# again fails the part; what passes is named, because a test that is left to luck is a bug, too. docs/decisions/0046.
set -u
"$@"
status=$?
[ "$status" -eq 1 ] || exit "$status"  # 0: all is well; anything but 1: the run itself broke
printf '\n=== Once more, alone and one after another, what failed above ===\n'
"$@" -n 0 -v --last-failed --last-failed-no-failures none
status=$?
[ "$status" -eq 0 ] && printf '\n=== FLAKY: the tests above failed beside others and passed alone. Mend them. ===\n'
exit "$status"
