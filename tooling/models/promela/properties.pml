/* What every model includes. */

/*
 * A property that holds in every state. When it does not, a replay of the run names it: the runner
 * reads that line. Printed text appears in replays only.
 */
#define holds(property, condition) \
  if \
  :: (condition) -> skip \
  :: else -> printf("broken: %e\n", property); assert(false) \
  fi
