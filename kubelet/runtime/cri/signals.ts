// Numbers of stop signals in CRI, which are its own and not the kernel's. Data.

const NAMES =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP ' +
  'TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN ' +
  Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`).join(' ') +
  ` ${Array.from({ length: 14 }, (_, i) => `RTMAX-${14 - i}`).join(' ')} RTMAX`;

const NUMBERS = new Map(NAMES.split(' ').map((name, index) => [`SIG${name}`, index + 1]));

/** CRI's number of a signal such as `SIGTERM`; 0, the image's or the runtime's own choice, for one that CRI does not know. */
export function signalNumber(name: string | undefined): number {
  return NUMBERS.get(name ?? '') ?? 0;
}
