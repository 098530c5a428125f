// Parses /proc/PID/stat (proc(5)). Pure. The command name may hold spaces and brackets, so fields are counted after the last ')'.

/** What is read of a process. */
export interface ProcessStat {
  /** State letter: R, S, D, Z, … */
  readonly state: string;
  /** Clock ticks since boot, as text. */
  readonly start: string;
}

/** Place of `starttime` (field 22) counted from `state` (field 3). */
const START_FIELD = 19;

/** Undefined when the text is no stat line. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(' ', START_FIELD + 1);
  const [state] = fields;
  const start = fields[START_FIELD];
  return state && start ? { state, start } : undefined;
}
